"""What one change does to those who use a portal and to its data, with the reason in words: a rule a type."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from automation.runs.plan import SECRET, Change
from automation.runs.unknown import UNKNOWN
from config.portal.labels import GROUP, IMAGES, RELEASE, SERVICE, TENANT
from config.portal.resource_types import CONTAINER, DOCKER_PROVIDER, NETWORK, PASSWORD, PROVIDERS, VOLUME
from config.values import placement


class Downtime(IntEnum):
    """Who notices, the worst last."""

    NONE = 0
    SERVICE = 1
    PORTAL = 2
    STORE = 3

    def __str__(self) -> str:
        return ("none", "one service for seconds", "whole portal", "data store")[self]


class DataRisk(IntEnum):
    """What may become of data, the worst last. What is LOSS needs somebody's word."""

    NONE = 0
    RESTART = 1
    REWRITE = 2
    UNKNOWN = 3
    LOSS = 4

    def __str__(self) -> str:
        return (
            "none",
            "restart on the same files",
            "changed with no way back",
            "not known",
            "deleted or left behind",
        )[self]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a change does."""

    downtime: Downtime = Downtime.NONE
    data: DataRisk = DataRisk.NONE
    reason: str


def findings(change: Change) -> tuple[Finding, ...]:
    """What one change does; at least one finding."""
    rule = RULES.get(change.type) or (_provider if change.type.startswith(PROVIDERS) else _unknown)
    return tuple(rule(change))


def data_left_behind(change: Change, left: str, tenant: str) -> Iterator[Finding]:
    """What comes of a portal that is made anew while its data lies in `left`: nothing of it is told by the state."""
    if not left or change.type != CONTAINER or change.op not in ("create", "import"):
        return
    for source, read_only in _mounts(change.after).values():
        if source.startswith("/") and source.endswith(f"/{tenant}") and not read_only and source != left:
            yield Finding(
                data=DataRisk.LOSS,
                reason=f"begins with the content of {source}: the data of {tenant} is in {left} and is left behind",
            )


def _container(change: Change) -> Iterator[Finding]:
    inputs = change.before or change.after
    labels = _labels(inputs)
    service = labels.get(SERVICE, change.name)
    if change.op in ("create", "import"):
        how = "starts" if change.op == "create" else "is taken over as it is"
        yield Finding(reason=f"{service} {how}: {inputs.get('image')}, {_memory(inputs)}")
        return
    if change.op == "update":
        yield Finding(reason=f"changed while {service} runs")
        return
    # A job has ended: nobody misses its container.
    if inputs.get("restart") == "no":
        yield Finding(
            reason="the job runs again" if change.op == "replace" else "the job's ended container is removed"
        )
    else:
        yield from _interruption(change, service, labels.get(GROUP, ""))
    if change.op == "replace":
        yield from _of_its_files(change, service, labels)


def _interruption(change: Change, service: str, group: str) -> Iterator[Finding]:
    inputs = change.before or change.after
    how = "is away until it is healthy again" if change.op == "replace" else "ends for good"
    if group == "data":
        yield Finding(
            downtime=Downtime.STORE,
            reason=f"{service}, a data store, {how}"
            + ("; until then the portal works in part or not at all" if change.op == "replace" else ""),
        )
    elif service == "load-balancer":
        yield Finding(downtime=Downtime.PORTAL, reason=f"every page goes through {service}, which {how}")
    else:
        yield Finding(downtime=Downtime.SERVICE, reason=f"{service} {how}")
    if change.op == "replace" and (files := _written(inputs)):
        grace = inputs.get("destroyGraceSeconds", 0)
        stops = f"stopped within {grace:.0f} s" if isinstance(grace, int | float) else "stopped"
        yield Finding(
            data=DataRisk.RESTART,
            reason=f"{service} writes to {files}: it is {stops} and started again on the same files",
        )


def _of_its_files(change: Change, service: str, labels: Mapping[str, str]) -> Iterator[Finding]:
    before, after = change.before, change.after
    new_image = not _same(before.get("image"), after.get("image"))
    files = _written(before)
    if files and new_image:
        yield Finding(
            data=DataRisk.REWRITE,
            reason=f"another image of {service} opens {files}; the previous image may then be unable to open it",
        )
    if labels.get(GROUP) == "ops" and service.endswith("-migrations") and new_image:
        yield Finding(
            data=DataRisk.REWRITE,
            reason="migrations of another image change the databases; there is no way back",
        )
    new = _labels(after)
    for key, word in ((RELEASE, "release"), (IMAGES, "images")):
        if key in labels and key in new and new[key] != labels[key]:
            yield Finding(
                data=DataRisk.REWRITE,
                reason=f"from then on the data belongs to {word} {new[key]}, no longer to {labels[key]}",
            )
    if not _same(labels.get(TENANT), new.get(TENANT, labels.get(TENANT))):
        yield Finding(data=DataRisk.LOSS, reason=f"the tenant's name changes to {new[TENANT]}")
    if files and not _same(before.get("hostname"), after.get("hostname")):
        yield Finding(
            data=DataRisk.LOSS,
            reason=f"{service} gets another host name; software that names its files after it, like "
            "RabbitMQ, begins without them",
        )
    if files and not _same(before.get("user"), after.get("user")):
        yield Finding(
            data=DataRisk.REWRITE,
            reason=f"{service} runs as another user, who must become the owner of its files",
        )
    yield from _moved(_mounts(before), _mounts(after))


def _moved(
    before: Mapping[str, tuple[str, bool]], after: Mapping[str, tuple[str, bool]]
) -> Iterator[Finding]:
    for path, (source, read_only) in sorted(before.items()):
        now = after.get(path, ("", False))[0]
        elsewhere = not now and source in {each for each, _ in after.values()}
        if read_only or elsewhere or _same(source, now):
            continue
        finds = f"what is in {now}" if now else "nothing"
        yield Finding(
            data=DataRisk.LOSS, reason=f"finds {finds} at {path} instead of {source}, which is left behind"
        )


def _volume(change: Change) -> Iterator[Finding]:
    old, new = _device(change.before), _device(change.after)
    if change.op in ("create", "import"):
        yield Finding(reason=f"the directory {new} of the drive")
    elif change.op == "delete":
        yield Finding(
            data=DataRisk.LOSS,
            reason=f"no service uses {old} any more; the files stay on the drive until they are removed",
        )
    elif old != new:
        yield Finding(
            data=DataRisk.LOSS,
            reason=f"moved: services use the content of {new}; the files in {old} stay there, and nothing reads them",
        )
    else:
        yield Finding(
            reason=f"recreated over the same directory, {old}: the containers that mount it are stopped first and recreated"
        )


def _network(change: Change) -> Iterator[Finding]:
    if change.op in ("create", "import"):
        yield Finding(reason="nothing is on it yet")
    else:
        yield Finding(downtime=Downtime.PORTAL, reason="every container on it must leave it first")


def _password(change: Change) -> Iterator[Finding]:
    if change.op == "replace":
        what = ", ".join(change.properties) or "its generator"
        yield Finding(
            data=DataRisk.LOSS, reason=f"a new password, for {what} changes; the one in use is forgotten"
        )
    elif change.op == "delete":
        yield Finding(data=DataRisk.LOSS, reason="the password in use is forgotten")
    else:
        yield Finding(
            reason="a password is generated" if change.op == "create" else "the password stays as it is"
        )


def _provider(change: Change) -> Iterator[Finding]:
    old, new = (placement.canonical(str(each.get("host") or "")) for each in (change.before, change.after))
    if change.op in ("update", "replace") and change.type == DOCKER_PROVIDER and old != new:
        yield _engine(change.engine, old, new)
    elif change.op == "replace":
        yield Finding(downtime=Downtime.PORTAL, reason="everything that it created is recreated")
    else:
        yield Finding(reason="the address of the engine; no container changes because of it")


def _engine(same: str, old: str, new: str) -> Finding:
    if same == "same":
        return Finding(reason=f"{new} and {old} are the same engine: the portal is on it")
    if same == "other":
        return Finding(
            downtime=Downtime.PORTAL,
            data=DataRisk.LOSS,
            reason=f"the engine changes from {old} to {new}: containers left running there would "
            "write to the same files; if only this shell differs, set placement/docker_host, "
            "or DOCKER_HOST as before",
        )
    return Finding(
        downtime=Downtime.PORTAL,
        data=DataRisk.UNKNOWN,
        reason=f"could not ask whether {new} and {old} are the same engine: if they are not, "
        "containers left running there would write to the same files",
    )


def _unknown(change: Change) -> Iterator[Finding]:
    if change.op == "create":
        yield Finding(reason=f"nothing is known about {change.type}; it is new")
    else:
        yield Finding(
            downtime=Downtime.PORTAL,
            data=DataRisk.LOSS,
            reason=f"nothing is known about {change.type}: judged as the worst case",
        )


RULES: Mapping[str, Callable[[Change], Iterator[Finding]]] = {
    CONTAINER: _container,
    NETWORK: _network,
    VOLUME: _volume,
    PASSWORD: _password,
    DOCKER_PROVIDER: _provider,
}


def _same(before: Any, after: Any) -> bool:
    # What is not known before the run is told by the change of the resource that it comes from.
    return bool(before == after) or (isinstance(after, str) and after in UNKNOWN)


def _memory(inputs: Mapping[str, Any]) -> str:
    memory = inputs.get("memory")
    return f"{memory:.0f} MiB" if isinstance(memory, int | float) else "memory without a limit"


def _labels(inputs: Mapping[str, Any]) -> dict[str, str]:
    labels = inputs.get("labels")
    if not isinstance(labels, list):
        return {}
    return {
        each["label"]: each["value"]
        for each in labels
        if isinstance(each, Mapping) and {"label", "value"} <= set(each)
    }


def _mounts(inputs: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    """What a container has at which path, and whether it may only read it."""
    mounts = {}
    for key, path, sources in (
        ("volumes", "containerPath", ("volumeName", "hostPath")),
        ("mounts", "target", ("source",)),
    ):
        listed = inputs.get(key)
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, Mapping) and each.get("type") != "tmpfs":
                source = next((str(each[one]) for one in sources if each.get(one)), "")
                mounts[str(each.get(path))] = (source, bool(each.get("readOnly")))
    return mounts


def _written(inputs: Mapping[str, Any]) -> str:
    """What of the drive a container may write to, in words; empty where it holds no data, whatever it is called."""
    if any(inputs.get(key) and not isinstance(inputs[key], list) for key in ("volumes", "mounts")):
        return "what is not known"
    return ", ".join(
        sorted(
            source or f"a volume without a name at {path}"
            for path, (source, reads) in _mounts(inputs).items()
            if not reads
        )
    )


def _device(inputs: Mapping[str, Any]) -> str:
    options = inputs.get("driverOpts")
    if isinstance(options, Mapping) and options.get("device"):
        return str(options["device"])
    return SECRET if options == SECRET else f"volume {inputs.get('name', '')}".strip()
