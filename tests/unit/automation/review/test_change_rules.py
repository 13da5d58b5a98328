"""What each change of each type does: a table."""

from dataclasses import replace

import pytest

from automation.review.change_rules import RULES, DataRisk, Downtime, findings
from automation.review.verdict import judge
from automation.runs.plan import SECRET, Change
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, GROUPING, NETWORK, PASSWORD, VOLUME
from tests.programs import portal
from tests.unit.automation.review.samples import change, container, plan, volume

STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MYSQL = container("mysql", "data", volumes=[{"containerPath": "/data", "volumeName": "acme-mysql"}])
RABBIT = container(
    "rabbitmq", "data", hostname="rabbitmq", volumes=[{"containerPath": "/data", "volumeName": "q"}]
)
INIT = container(
    "storage-init",
    "ops",
    restart="no",
    labels={"portal.release": "juniper", "portal.images": "packages"},
    volumes=[{"containerPath": "/portal", "hostPath": "/srv/portals/acme"}],
)
MIGRATIONS = container("edxapp-migrations", "ops", restart="no")
NONE, SERVICE, PORTAL, STORE = Downtime
SAFE, RESTART, REWRITE, _, LOSS = DataRisk


def writer(service: str, group: str, **more: object) -> dict[str, object]:
    """A container with a directory of the drive."""
    return container(
        service, group, volumes=[{"containerPath": "/data", "volumeName": f"acme-{service}"}], **more
    )


def replaced(inputs: dict[str, object], **more: object) -> Change:
    labels = {str(each["label"]): str(each["value"]) for each in inputs["labels"]}  # type: ignore[attr-defined]
    return change("replace", CONTAINER, labels["portal.service"], inputs, {**inputs, **more})


CASES = {
    "a service starts": (change("create", CONTAINER, "lms", None, container()), NONE, SAFE, "lms starts"),
    "a service is changed in place": (
        change("update", CONTAINER, "lms", container(), container(memory=640)),
        NONE,
        SAFE,
        "changed while lms runs",
    ),
    "a service is replaced": (replaced(container()), SERVICE, SAFE, "lms is away"),
    "a service ends": (change("delete", CONTAINER, "lms", container()), SERVICE, SAFE, "ends for good"),
    "the load balancer is replaced": (
        replaced(container("load-balancer", "support")),
        PORTAL,
        SAFE,
        "every page goes through load-balancer",
    ),
    "a data store is restarted": (replaced(MYSQL, memory=640), STORE, RESTART, "stopped within 30 s"),
    "a data store gets another image": (
        replaced(MYSQL, image="portals/mysql:2"),
        STORE,
        REWRITE,
        "another image of mysql opens acme-mysql",
    ),
    "what writes to the drive is restarted, whatever its group": (
        replaced(writer("anything", "support"), memory=640),
        SERVICE,
        RESTART,
        "anything writes to acme-anything: it is stopped within 30 s",
    ),
    "what writes to the drive gets another image, whatever its group": (
        replaced(writer("anything", "support"), image="x:2"),
        SERVICE,
        REWRITE,
        "another image of anything opens acme-anything",
    ),
    "what writes to a path of the host": (
        replaced(
            container("anything", mounts=[{"target": "/data", "source": "/srv/x", "type": "bind"}]),
            image="x:2",
        ),
        SERVICE,
        REWRITE,
        "another image of anything opens /srv/x",
    ),
    "what only reads the drive gets another image": (
        replaced(
            container("nginx", volumes=[{"containerPath": "/static", "volumeName": "s", "readOnly": True}]),
            image="x:2",
        ),
        SERVICE,
        SAFE,
        "nginx is away",
    ),
    "a job that writes to the drive gets another image": (
        replaced(INIT, image="portals/ops:2"),
        NONE,
        REWRITE,
        "another image of storage-init opens /srv/portals/acme",
    ),
    "a path of the host is another": (
        replaced(
            container("anything", mounts=[{"target": "/data", "source": "/srv/x", "type": "bind"}]),
            mounts=[{"target": "/data", "source": "/srv/y", "type": "bind"}],
        ),
        SERVICE,
        LOSS,
        "finds what is in /srv/y at /data instead of /srv/x",
    ),
    "mounts that are secret": (
        replaced(container("anything", volumes=SECRET), image="x:2"),
        SERVICE,
        REWRITE,
        "what is not known",
    ),
    "a data store's image is not known yet": (replaced(MYSQL, image=STRING), STORE, RESTART, "stopped"),
    "a store without files gets another image": (
        replaced(container("memcached", "data"), image="portals/memcached:2"),
        STORE,
        SAFE,
        "memcached",
    ),
    "a data store ends": (change("delete", CONTAINER, "mysql", MYSQL), STORE, SAFE, "ends for good"),
    "a data store looks elsewhere": (
        replaced(MYSQL, volumes=[{"containerPath": "/data", "volumeName": "acme-other"}]),
        STORE,
        LOSS,
        "finds what is in acme-other at /data instead of acme-mysql",
    ),
    "a data store finds nothing": (replaced(MYSQL, volumes=None), STORE, LOSS, "finds nothing at /data"),
    "a data store's files are at another path inside": (
        replaced(MYSQL, volumes=[{"containerPath": "/var/lib/mysql", "volumeName": "acme-mysql"}]),
        STORE,
        RESTART,
        "mysql",
    ),
    "a volume that is made anew has no name yet": (
        replaced(MYSQL, volumes=[{"containerPath": "/data", "volumeName": STRING}]),
        STORE,
        RESTART,
        "mysql",
    ),
    "files that are only read may go": (
        replaced(
            container("nginx", volumes=[{"containerPath": "/static", "volumeName": "s", "readOnly": True}]),
            volumes=None,
        ),
        SERVICE,
        SAFE,
        "nginx",
    ),
    "a store runs as another user": (replaced(MYSQL, user="999"), STORE, REWRITE, "another user"),
    "rabbitmq gets another host name": (
        replaced(RABBIT, hostname="rabbit"),
        STORE,
        LOSS,
        "like RabbitMQ, begins without them",
    ),
    "a tenant gets another name": (
        replaced(container(), labels=container(labels={"portal.tenant": "oak"})["labels"]),
        SERVICE,
        LOSS,
        "the tenant's name changes to oak",
    ),
    "a job runs again": (replaced(MIGRATIONS, memory=640), NONE, SAFE, "the job runs again"),
    "a job's container goes": (change("delete", CONTAINER, "job", MIGRATIONS), NONE, SAFE, "ended container"),
    "another image migrates": (
        replaced(MIGRATIONS, image="portals/openedx:2"),
        NONE,
        REWRITE,
        "change the databases",
    ),
    "the data gets another release": (
        replaced(
            INIT,
            labels=container(
                "storage-init", "ops", labels={"portal.release": "redwood", "portal.images": "packages"}
            )["labels"],
        ),
        NONE,
        REWRITE,
        "from then on the data belongs to release redwood, no longer to juniper",
    ),
    "the drive is somewhere else": (
        replaced(INIT, volumes=[{"containerPath": "/portal", "hostPath": "/mnt/acme"}]),
        NONE,
        LOSS,
        "finds what is in /mnt/acme at /portal instead of /srv/portals/acme",
    ),
    "a directory more": (
        change("create", VOLUME, "v", None, volume()),
        NONE,
        SAFE,
        "/srv/portals/acme/mysql",
    ),
    "a directory less": (
        change("delete", VOLUME, "v", volume()),
        NONE,
        LOSS,
        "no service uses /srv/portals/acme/mysql any more",
    ),
    "a directory moves": (
        change("replace", VOLUME, "v", volume(), volume(root="/mnt")),
        NONE,
        LOSS,
        "services use the content of /mnt/acme/mysql; the files in /srv/portals/acme/mysql stay",
    ),
    "a volume's label": (
        change("replace", VOLUME, "v", volume(), volume(labels=[{"label": "a", "value": "b"}])),
        NONE,
        SAFE,
        "the same directory",
    ),
    "a network more": (change("create", NETWORK, "private"), NONE, SAFE, "nothing is on it yet"),
    "another subnet": (change("replace", NETWORK, "private"), PORTAL, SAFE, "every container"),
    "a network less": (change("delete", NETWORK, "private"), PORTAL, SAFE, "every container"),
    "a password more": (change("create", PASSWORD, "p"), NONE, SAFE, "is generated"),
    "another generator": (
        change("replace", PASSWORD, "p", {"length": 32}, {"length": 40}),
        NONE,
        LOSS,
        "for length changes",
    ),
    "a password less": (change("delete", PASSWORD, "p"), NONE, LOSS, "forgotten"),
    "an engine's setting": (
        change("update", DOCKER_PROVIDER, "engine", {}, {"disableDockerDaemonCheck": True}),
        NONE,
        SAFE,
        "the address of the engine",
    ),
    "another engine": (
        replace(change("update", DOCKER_PROVIDER, "engine", {}, {"host": "ssh://a@b"}), engine="other"),
        PORTAL,
        LOSS,
        "from unix:///var/run/docker.sock to ssh://a@b",
    ),
    "an engine that nobody could ask": (
        change("update", DOCKER_PROVIDER, "engine", {}, {"host": "ssh://a@b"}),
        PORTAL,
        DataRisk.UNKNOWN,
        "could not ask whether ssh://a@b and ",
    ),
    "the same engine by other words": (
        replace(change("update", DOCKER_PROVIDER, "engine", {}, {"host": "ssh://a@b"}), engine="same"),
        NONE,
        SAFE,
        "are the same engine: the portal is on it",
    ),
    "what nobody knows is new": (change("create", "aws:s3:Bucket", "b"), NONE, SAFE, "nothing is known"),
    "what nobody knows changes": (
        change("update", "aws:s3:Bucket", "b"),
        PORTAL,
        LOSS,
        "judged as the worst case",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_change_does(name: str) -> None:
    one, downtime, data, words = CASES[name]
    judged = judge(plan(one)).judged
    assert len(judged) == 1
    assert (judged[0].downtime, judged[0].data) == (downtime, data), judged[0].findings
    assert words in "; ".join(each.reason for each in judged[0].findings)


def test_every_change_has_a_reason() -> None:
    for kind in (*RULES, "aws:s3:Bucket"):
        for op in ("create", "update", "replace", "delete", "import"):
            assert all(each.reason for each in findings(change(op, kind, "one"))), (kind, op)
            assert findings(change(op, kind, "one"))


def test_nothing_that_a_preview_may_hold_is_too_odd() -> None:
    for value in (SECRET, STRING, None, [], [SECRET], [{"a": 1}], "text", 5):
        odd = dict.fromkeys(("labels", "volumes", "memory", "image", "user", "driverOpts", "host"), value)
        for kind in RULES:
            for op in ("create", "update", "replace", "delete"):
                assert findings(change(op, kind, "one", odd, odd))


@pytest.mark.parametrize("tenant", ["acme", "demo"])
def test_whoever_writes_to_the_drive_holds_data(tenant: str) -> None:
    """Of the real program: a new image of each container that has a directory of the drive to write to."""
    recorded = portal(tenant).containers()
    rated = {}
    for each in recorded:
        new = change("replace", CONTAINER, each.name, each.inputs, {**each.inputs, "image": "another:1"})
        rated[each.name] = judge(plan(new)).data
    writes = {
        each.name
        for each in recorded
        if any(
            not one.get("readOnly")
            for one in [*each.inputs.get("volumes", []), *each.inputs.get("mounts", [])]
        )
    }
    assert {"mysql", "rabbitmq", "mailer", "lms", "storage-init"} <= writes
    assert ("mail-sink" in writes) is (tenant == "demo")
    assert {name for name, risk in rated.items() if risk is REWRITE} == writes
    assert {name for name, risk in rated.items() if risk is SAFE} == set(rated) - writes
    # Among them what is held on files of nobody's group alone.
    assert "load-balancer" not in writes


@pytest.mark.parametrize("tenant", ["acme", "demo"])
def test_every_type_of_a_portal_is_known(tenant: str) -> None:
    types = {each.type for each in portal(tenant).plan}
    assert {each for each in types if not each.startswith(GROUPING)} <= set(RULES)
