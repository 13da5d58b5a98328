"""The house rules: what holds for every container, network and volume of every portal, whatever runs in it.

Plain functions of a resource; each yields what is wrong with it. The tests call them on the recorded plan, and the
policy pack beside this file on a real preview. Standard library alone: the pack runs wherever Pulumi's SDK does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from policies.house.resource import CONTAINER, GROUP, NETWORK, SERVICE, TENANT, UNKNOWN, VOLUME, Resource

Rule = Callable[[Resource], Iterator[str]]

IMAGE = re.compile(r"(portals/[a-z-]+:[0-9a-f]{16}|[^@\s]+@sha256:[0-9a-f]{64})")
GROUPS = {"openedx", "addons", "support", "data", "ops"}
DATA_STORES = {"elasticsearch", "meilisearch", "mongo", "mysql", "rabbitmq", "redis"}
# Makes the portal's directories and gives them to the users of its services; it ends before they start.
ROOT = {"storage-init"}
INSIDE_NETWORKS = {"front", "mail", "data", "cache", "documents", "search"}
WAYS = {"load-balancer": {"ingress"}, "mailer": {"egress"}}
DATA_NETWORKS = {"data", "cache", "documents"}
NO_DATA = {"load-balancer", "nginx", "mfe", "mailer", "mail-sink"}
LEAST_GRACE, LEAST_GRACE_OF_DATA = 30, 120
NO_HOST = "com.docker.network.bridge.inhibit_ipv4"
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
HEALTH_SCRIPT = "/portal/health.sh"
SENTINEL = "/.portals-drive"
SECRETS = "/run/secrets/"
_SECRET_NAME = re.compile(
    r"([A-Z0-9_]*_)?(PASSWORD|PASSWD|SECRET|SECRET_KEY|API_KEY|PRIVATE_KEY|TOKEN)", re.I
)


def bounded(one: Resource) -> Iterator[str]:
    """Memory has a limit, and swap none beyond it; open files have one too."""
    memory, swap = one.get("memory"), one.get("memorySwap")
    if UNKNOWN not in (memory, swap) and not (memory and memory == swap):
        yield f"memory {memory} and memorySwap {swap}, expected one limit above 0 for both"
    if not any(each["name"] == "nofile" for each in one.get_list("ulimits")):
        yield "no limit of open files, expected a ulimit nofile"


def logs_rotate(one: Resource) -> Iterator[str]:
    """Logs are files that rotate, so that none fills the host's disk."""
    if one.get("logDriver") != "json-file" or set(one.get("logOpts") or {}) != {"max-file", "max-size"}:
        yield f"logs by {one.get('logDriver')} with {one.get('logOpts')}, expected json-file, max-file and max-size"


def unprivileged(one: Resource) -> Iterator[str]:
    """No privileges, no namespace or device of the host, no capability kept that is not needed."""
    if one.get("privileged"):
        yield "privileged"
    if one.get("securityOpts") != ["no-new-privileges:true"]:
        yield f"securityOpts {one.get('securityOpts')}, expected no-new-privileges:true alone"
    capabilities = one.get("capabilities") or {}
    if capabilities.get("drops") != ["ALL"]:
        yield f"capabilities dropped: {capabilities.get('drops')}, expected ALL"
    for each in capabilities.get("adds") or []:
        if not each.startswith("CAP_"):
            # Without the prefix the official plugin replaces the container after every refresh.
            yield f"capability {each}, expected CAP_{each}"
        if each not in ("CAP_NET_BIND_SERVICE", "NET_BIND_SERVICE") and one.name not in ROOT:
            yield f"capability {each} kept, expected none but CAP_NET_BIND_SERVICE"
    for key in ("networkMode", "pidMode", "ipcMode", "usernsMode", "cgroupnsMode"):
        mode = str(one.get(key) or "")
        if mode == "host" or mode.startswith("container:"):
            yield f"{key} {mode}, expected a namespace of its own"
    if one.get_list("devices"):
        yield "devices of the host, expected none"


def unprivileged_user(one: Resource) -> Iterator[str]:
    """A user other than root, by its number; storage-init alone is root."""
    user = one.get("user")
    if user is not UNKNOWN and one.name not in ROOT and not re.fullmatch(r"[1-9][0-9]*(:[0-9]+)?", str(user)):
        yield f"user {user!r}, expected a number above 0"


def named(one: Resource) -> Iterator[str]:
    """Name and labels say whose it is, for people and for tools that group by them."""
    labels, tenant = one.labels, one.tenant
    service = str(labels.get(SERVICE, "")).removeprefix("network-").removeprefix("volume-")
    if not tenant or one.get("name") not in (f"{tenant}-{service}", UNKNOWN):
        yield f"name {one.get('name')} with {TENANT} {tenant!r}, {SERVICE} {service!r}, expected <tenant>-<service>"
    if labels.get("com.docker.compose.project") != tenant:
        yield f"com.docker.compose.project {labels.get('com.docker.compose.project')!r}, expected {tenant!r}"
    if labels.get("com.docker.compose.service") != labels.get(SERVICE):
        yield f"com.docker.compose.service is not {SERVICE}"
    if labels.get(GROUP) not in GROUPS:
        yield f"{GROUP} {labels.get(GROUP)!r}, expected one of {', '.join(sorted(GROUPS))}"


def watched(one: Resource) -> Iterator[str]:
    """A service is restarted, probed and waited for; a job runs once and tells its log."""
    if one.is_job:
        life = [one.get(key) for key in ("restart", "mustRun", "attach", "logs")]
        if life != ["no", False, True, True]:
            yield f"restart, mustRun, attach, logs of a job: {life}, expected no, false, true, true"
        if one.get("healthcheck"):
            yield "a health probe in a job"
        return
    if one.get("restart") != "unless-stopped":
        yield f"restart {one.get('restart')}, expected unless-stopped"
    if not one.get("wait"):
        yield "not waited for, expected wait"
    if (one.get("healthcheck") or {}).get("tests", [])[:2] != ["CMD", HEALTH_SCRIPT]:
        yield f"no health probe by {HEALTH_SCRIPT}"


def stops_in_time(one: Resource) -> Iterator[str]:
    """Time to end before it is killed: 30 s, a data store 120 s."""
    least = LEAST_GRACE_OF_DATA if one.name in DATA_STORES else LEAST_GRACE
    for key in ("destroyGraceSeconds", "stopTimeout"):
        if not (one.get(key) or 0) >= least:
            yield f"{key} {one.get(key)}, expected at least {least}"


def one_door(one: Resource) -> Iterator[str]:
    """The load balancer publishes one port, no other container any; it alone has ingress, the mailer egress."""
    ports = one.get_list("ports")
    if len(ports) != (one.name == "load-balancer"):
        yield f"{len(ports)} published ports, expected one of the load balancer alone"
    known = {*INSIDE_NETWORKS, *WAYS.get(one.name, ())}
    for each in one.get_list("networksAdvanced"):
        if each["name"] is not UNKNOWN and each["name"] not in {f"{one.tenant}-{name}" for name in known}:
            yield f"joins {each['name']}, expected {', '.join(sorted(known))} of {one.tenant} alone"


def away_from_data(one: Resource) -> Iterator[str]:
    """What browsers and mail servers talk to reaches no data store: it shares no network with one."""
    if one.name in NO_DATA:
        for each in one.get_list("networksAdvanced"):
            if str(each["name"]) in {f"{one.tenant}-{name}" for name in DATA_NETWORKS}:
                yield f"joins {each['name']}, where data stores answer"


def own_directories(one: Resource) -> Iterator[str]:
    """It sees volumes of its own tenant, never the drive, the host's files or the engine's socket."""
    for each in one.get_list("volumes"):
        path, volume = each.get("hostPath"), each.get("volumeName")
        if path and not (one.name in ROOT and path.endswith(f"/{one.tenant}")):
            yield f"mounts {path} of the host, expected volumes"
        if volume and volume is not UNKNOWN and not volume.startswith(f"{one.tenant}-"):
            yield f"mounts volume {volume}, expected one of {one.tenant}"
    for each in one.get_list("mounts"):
        if not (one.name in ROOT and each["source"].endswith(SENTINEL) and each.get("readOnly")):
            yield f"mounts {each['source']}, expected nothing but {SENTINEL}, read-only, in storage-init"


def no_secret_in_sight(one: Resource) -> Iterator[str]:
    """No variable, label or option of the command is called like a secret: those are files."""
    for text in (
        *one.get_list("envs"),
        *one.get_list("command"),
        *(f"{k}={v}" for k, v in one.labels.items()),
    ):
        name, equals, value = str(text).lstrip("-").replace("-", "_").replace(".", "_").partition("=")
        if equals and value and _SECRET_NAME.fullmatch(name) and not value.startswith("/"):
            yield f"{name} is called like a secret, expected a file below {SECRETS}"


def pinned(one: Resource) -> Iterator[str]:
    """Images go by digest, or by a tag that is the hash of what they are built from: a plan shows when they change."""
    image = one.get("image")
    if image is not UNKNOWN and not IMAGE.fullmatch(str(image)):
        yield f"image {image}, expected a digest, or portals/<role>:<hash>"


def in_order(one: Resource) -> Iterator[str]:
    """Variables, labels, files and ports are sorted, so that a second preview is empty."""
    for key, field in (("envs", ""), ("labels", "label"), ("uploads", "file"), ("ports", "internal")):
        keys = [each[field] if field else each for each in one.get_list(key)]
        if UNKNOWN not in keys and keys != sorted(keys):
            yield f"{key} are not sorted"


def apart(one: Resource) -> Iterator[str]:
    """A network has a subnet of its own; one inside has no egress, and the host is no neighbour there."""
    if not [each for each in one.get_list("ipamConfigs") if each.get("subnet")]:
        yield "no subnet of its own"
    inside = one.name in INSIDE_NETWORKS
    if bool(one.get("internal")) != inside:
        yield f"internal is {bool(one.get('internal'))}, expected {inside}"
    if inside and (one.get("options") or {}).get(NO_HOST) != "true":
        yield f"the bridge has an address of the host, expected the option {NO_HOST}"
    if one.name == "ingress" and (one.get("options") or {}).get(MASQUERADE) != "false":
        yield f"the ingress network has egress, expected the option {MASQUERADE} to be false"


def on_the_drive(one: Resource) -> Iterator[str]:
    """A volume is a directory of its tenant on the drive, which the engine never makes by itself."""
    options = one.get("driverOpts") or {}
    part = str(one.labels.get(SERVICE, "")).removeprefix("volume-")
    if one.get("driver") != "local" or (options.get("type"), options.get("o")) != ("none", "bind"):
        yield f"driver {one.get('driver')} with {dict(options)}, expected local, type none, o bind"
    if not str(options.get("device")).endswith(f"/{one.tenant}/{part}"):
        yield f"device {options.get('device')}, expected <drive>/{one.tenant}/{part}"


RULES: Mapping[str, tuple[Rule, ...]] = {
    CONTAINER: (
        bounded,
        logs_rotate,
        unprivileged,
        unprivileged_user,
        named,
        watched,
        stops_in_time,
        one_door,
        away_from_data,
        own_directories,
        no_secret_in_sight,
        pinned,
        in_order,
    ),
    NETWORK: (named, apart),
    VOLUME: (named, on_the_drive),
}


def findings(one: Resource) -> list[str]:
    """All that is wrong with a resource, as `rule: finding`."""
    return [f"{rule.__name__}: {each}" for rule in RULES.get(one.type, ()) for each in rule(one)]


def leaks(containers: Iterable[Resource], secrets: Mapping[str, str]) -> Iterator[tuple[Resource, str]]:
    """Where a value of `secrets` (by name) stands elsewhere than in a file below /run/secrets/."""
    for one in containers:
        for name, value in secrets.items():
            for each in one.get_list("uploads"):
                if _holds(each.get("content"), value) and not str(each["file"]).startswith(SECRETS):
                    yield one, f"{name} is in {each['file']}, expected {SECRETS}"
            # What a job logged is no input.
            rest = {k: v for k, v in one.inputs.items() if k not in ("uploads", "containerLogs")}
            leaking = [key for key, entry in rest.items() if _holds(entry, value)]
            if leaking:
                yield one, f"{name} is in {', '.join(sorted(leaking))}, expected a file below {SECRETS}"


def _holds(entry: Any, value: str) -> bool:
    return value in repr(entry)
