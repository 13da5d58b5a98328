"""One portal by `./portal` and by the plain CLI: it comes up, says where it is, and stays as it is."""

import json
from typing import Any

import pytest

from config.images import reference
from testbed.command_result import CommandResult
from testbed.objects import HERE, Objects
from testbed.trial import Trial

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SERVICES = {
    "cms", "cms-workers", "elasticsearch", "forum", "lms", "lms-workers", "load-balancer",
    "mail-sink", "mailer", "memcached", "mongo", "mysql", "nginx", "rabbitmq", "redis",
}  # fmt: skip
IDLE_LIMIT_MIB = 1536
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def came_up(oak_once: Trial) -> CommandResult:
    """The first `up` of the portal, from nothing."""
    ran = oak_once.checkout.portal("up", oak_once.name, "--json")
    print(f"\nfirst up: {ran.seconds:.1f} s")
    return ran


@pytest.fixture(scope="module")
def facts(came_up: CommandResult) -> dict[str, Any]:
    """What it printed at its end."""
    assert came_up.code == 0, str(came_up)
    facts: dict[str, Any] = came_up.facts()
    return facts


def test_up_succeeds(came_up: CommandResult) -> None:
    """Else nothing else matters."""
    assert came_up.code == 0, str(came_up)


def test_up_says_where_the_portal_is(facts: dict[str, Any], oak: Trial) -> None:
    """Scripts read these; a person opens the address."""
    assert facts["tenant"] == oak.name
    assert facts["addresses"] == {
        "lms": oak.url(""),
        "cms": oak.url("", "cms"),
        "mail-sink": oak.url("", "mail-sink"),
    }
    assert facts["directory"] == str(oak.directory)
    assert facts["services"] == {each: f"{oak.name}-{each}" for each in SERVICES}


def test_up_says_how_to_log_in(facts: dict[str, Any], oak: Trial) -> None:
    """Without the first log-in a portal is of no use; with a readable password file it is everybody's."""
    assert facts["admin"]["email"] == f"admin@{oak.host}"
    path = oak.checkout.data / "portals" / "tenants" / oak.name / "admin-password"
    assert facts["admin"]["password_file"] == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == oak.outputs()["admin_password"]


def test_the_plain_cli_has_the_same_facts(facts: dict[str, Any], oak: Trial) -> None:
    """`pulumi stack output` is what other stacks and scripts use."""
    ran = oak.checkout.shell(f"pulumi stack output --json --stack {oak.name}")
    facts_now = ran.facts()
    assert facts_now.pop("admin_password") == "[secret]"
    assert facts.pop("deviations") == []
    # Of the moment, and so no output.
    assert facts.pop("drive")["free_mib"] > 0
    # Of the release, whose end of support is a matter of the day.
    assert facts.pop("openedx")["real"] is False
    assert {each["op"] for each in facts.pop("changes")} == {"create"}
    assert facts_now == {**facts, "admin": {k: v for k, v in facts["admin"].items() if k != "password_file"}}


def test_every_service_is_healthy(oak: Trial) -> None:
    """By the engine's own word, not ours."""
    assert oak.objects.containers(oak.name, jobs=False).keys() == SERVICES
    assert oak.unhealthy() == []


def test_the_heartbeat_asks_every_data_store(oak: Trial) -> None:
    """Healthy containers that cannot talk to each other would be no portal."""
    for service in ("lms", "cms"):
        status, heartbeat = oak.get("/heartbeat?extended", service)
        assert status == 200, f"{service}: {heartbeat}"


def test_status_tells_each_service(oak: Trial) -> None:
    """What an operator looks at first when a client calls."""
    ran = oak.checkout.portal("status", oak.name, "--json")
    assert ran.code == 0, str(ran)
    facts = ran.facts()
    assert facts["healthy"] is True
    assert {facts["services"][each]["health"] for each in SERVICES} == {"healthy"}
    assert {facts["services"][each]["state"] for each in ("storage-init", "edxapp-migrations")} == {"exited"}


def test_a_name_that_is_not_the_portals_gets_no_page(oak: Trial) -> None:
    """Another client's name must not lead here."""
    assert oak.get("/")[0] == 200
    assert "No portal answers to this name" in oak.objects.python_in_network_of(
        f"{oak.name}-load-balancer",
        "import json,urllib.request,urllib.error\n"
        "request = urllib.request.Request('http://127.0.0.1:8080/', headers={'Host': 'e2e-elm.localhost'})\n"
        "try: urllib.request.urlopen(request, timeout=20)\n"
        "except urllib.error.HTTPError as error: print(json.dumps(error.read().decode()))\n",
    )


def test_only_the_load_balancer_publishes_a_port(oak: Trial) -> None:
    """A published data store would be everybody's."""
    published = {
        service: inspection["HostConfig"]["PortBindings"]
        for service, inspection in oak.objects.containers(oak.name).items()
        if inspection["HostConfig"]["PortBindings"]
    }
    assert published == {"load-balancer": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(oak.port)}]}}


def test_a_second_up_changes_nothing(oak: Trial) -> None:
    """Else every run would interrupt the portal."""
    before = oak.objects.ids(oak.name)
    ran = oak.up()
    print(f"\nsecond up: {ran.seconds:.1f} s")
    assert oak.objects.ids(oak.name) == before


def test_a_preview_after_a_refresh_shows_no_change(oak: Trial) -> None:
    """What the engine tells of a container must read as what the program asked for."""
    assert oak.changes("--refresh") == []


def test_the_plain_cli_expects_no_changes(oak: Trial) -> None:
    """Pull requests are previewed with it."""
    ran = oak.checkout.shell(f"pulumi preview --stack {oak.name} --refresh --expect-no-changes")
    assert ran.code == 0, str(ran)


def test_the_plain_cli_brings_a_selected_stack_up(oak: Trial) -> None:
    """`./portal` is thin: whoever knows Pulumi needs nothing else."""
    before = oak.objects.ids(oak.name)
    ran = oak.checkout.shell(f"pulumi stack select {oak.name} && pulumi up --yes --skip-preview")
    assert ran.code == 0, str(ran)
    assert oak.objects.ids(oak.name) == before


def test_an_idle_portal_fits_into_memory(oak: Trial, objects: Objects) -> None:
    """How many portals a host carries follows from it."""
    used = {
        service: working_set(objects, inspection["Id"]) / MIB
        for service, inspection in objects.containers(oak.name, jobs=False).items()
    }
    total = sum(used.values())
    print(f"\nidle memory: {total:.0f} MiB = " + ", ".join(f"{k} {v:.0f}" for k, v in sorted(used.items())))
    assert total < IDLE_LIMIT_MIB


def test_destroy_needs_the_tenants_name(oak: Trial) -> None:
    """A slip must not take a client's portal away."""
    before = oak.objects.ids(oak.name)
    for words in ([], ["--confirm", "e2e-elm"], ["--json"]):
        ran = oak.checkout.portal("destroy", oak.name, *words)
        assert ran.code == 3, str(ran)
        assert "nothing was removed" in ran.err
    assert oak.objects.ids(oak.name) == before


def test_a_dry_destroy_shows_everything_and_removes_nothing(oak: Trial) -> None:
    """Whoever removes a portal wants to see first what goes."""
    before = oak.objects.ids(oak.name)
    ran = oak.checkout.portal("destroy", oak.name, "--dry-run", "--json")
    assert ran.code == 0, str(ran)
    shown = ran.facts()["changes"]
    assert {each["op"] for each in shown} == {"delete"}
    assert {each["name"] for each in shown} >= SERVICES
    assert oak.objects.ids(oak.name) == before


def test_a_change_is_shown_and_applied_exactly(oak: Trial) -> None:
    """A reviewer approves the preview; `up` must do that and nothing more."""
    before = fingerprints(oak)
    oak.write(sizes={"lms-workers": {"memory": "448MiB"}, "memcached": {"memory": "112MiB"}})
    shown = {each["name"]: each["op"] for each in oak.changes()}
    assert fingerprints(oak) == before, "a preview changed something"
    assert set(shown.values()) <= {"update", "replace"}, shown
    oak.up()
    after = fingerprints(oak)
    assert shown.keys() == {"lms-workers", "memcached"}
    assert {name for name in after if after[name] != before[name]} == shown.keys()
    memory = oak.objects.containers(oak.name)["memcached"]["HostConfig"]["Memory"]
    assert memory == 112 * MIB
    assert oak.changes() == []


def working_set(objects: Objects, container: str) -> int:
    """Bytes in use without the page cache that the kernel can take back: as `docker stats` counts."""
    stats = objects.client.stats(container, stream=False, one_shot=True)["memory_stats"]
    cache = stats["stats"].get("inactive_file", stats["stats"].get("total_inactive_file", 0))
    return int(stats["usage"]) - int(cache)


def fingerprints(portal: Trial) -> dict[str, str]:
    """What would show that a container was replaced or changed, by service."""
    return {
        service: json.dumps(
            [inspection["Id"], inspection["HostConfig"]["Memory"], inspection["State"]["StartedAt"]]
        )
        for service, inspection in portal.objects.containers(portal.name).items()
    }


# Debian's first person.
PERSON = 1000
STRANGER = """
for each in /drive/{name} /drive/{name}/media /drive/{name}/static /drive/{name}/overrides /drive/{name}/.portal; do
    ls "$each" >/dev/null 2>&1 && echo "listed $each"
done
cat /drive/{name}/.portal/release 2>/dev/null
touch /drive/{name}/overrides/ansible_overrides.yml /drive/{name}/x 2>/dev/null && echo wrote
stat --format=%a /drive/{name}
"""


def test_a_person_of_the_host_gets_nowhere_in_its_directory(oak: Trial) -> None:
    """The first account of a host was the user of lms and cms; all of a portal's directories are closed to people."""
    client = oak.objects.client
    made = client.create_container(
        reference("ops", HERE / "images"),
        entrypoint=["sh", "-c", STRANGER.format(name=oak.name)],
        user=f"{PERSON}:{PERSON}",
        network_disabled=True,
        host_config=client.create_host_config(binds=[f"{oak.root}:/drive"], cap_drop=["ALL"]),
    )["Id"]
    try:
        client.start(made)
        client.wait(made, timeout=60)
        owners = client.logs(made).decode().splitlines()
    finally:
        client.remove_container(made, force=True)
    assert owners == ["700"]
    running = oak.objects.containers(oak.name, jobs=False)
    users = {service: int(inspection["Config"]["User"]) for service, inspection in running.items()}
    assert all(60900 <= each < 61100 for each in users.values()), users


def test_status_tells_how_full_the_drive_is(oak: Trial) -> None:
    drive = oak.checkout.portal("status", oak.name, "--json").facts()["drive"]
    assert 0 < drive["free_mib"] < drive["size_mib"]
    assert drive["used_mib"] > 10
    assert drive["quota_mib"] is None
    ran = oak.checkout.portal("status", oak.name)
    assert f"the portal uses {drive['used_mib']} (" in ran.out
