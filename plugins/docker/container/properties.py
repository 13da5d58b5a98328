"""Every property of docker.Container: its shape, its default, and whether a change updates or replaces.

Update or replace is as the official plugin does it, except `healthcheck`, `init`, `tmpfs` and `rm`:
it says "updated" and leaves the engine with the old value; here they replace. `cpuPeriod` and
`cpuQuota`, which it also leaves, are really updated here. Taking a limit away replaces: the engine
can change a limit, but not take it from a container that runs.
"""

from collections.abc import Mapping

from plugins.docker.container.durations import broken_duration
from plugins.docker.container.request import ANY_ADDRESS
from plugins.docker.property_builders import (
    REPLACE,
    UPDATE,
    flag,
    labels,
    limit,
    mapping,
    number,
    record,
    records,
    text,
    texts,
)
from plugins.schema import Property, Type
from plugins.values import UNKNOWN, Plain


def length(name: str) -> Property:
    """A length of time, as Go writes it."""
    return text(name, default="0s", rule=broken_duration)


def rates(name: str) -> Property:
    """Limits of reading or writing, a device each."""
    return records(name, text("path", required=True), number("rate", required=True, minimum=0))


PROPERTIES = (
    flag("attach", UPDATE),
    record("capabilities", texts("adds", unordered=True), texts("drops", unordered=True)),
    text("cgroupParent"),
    text("cgroupnsMode", pattern="private|host"),
    texts("command"),
    number("containerReadRefreshTimeoutMilliseconds", UPDATE, 15000, 0),
    limit("cpuPeriod"),
    limit("cpuQuota"),
    text("cpuSet", UPDATE, "", r"[0-9]+([,-][0-9]+)*|", removal=REPLACE),
    limit("cpuShares", 0),
    text("cpus", pattern=r"[0-9]*\.?[0-9]+"),
    number("destroyGraceSeconds", UPDATE, minimum=0),
    rates("deviceReadBps"),
    rates("deviceReadIops"),
    records(
        "deviceRequests",
        texts("capabilities", unordered=True),
        number("count"),
        texts("deviceIds", unordered=True),
        text("driver"),
        mapping("options"),
    ),
    rates("deviceWriteBps"),
    rates("deviceWriteIops"),
    records("devices", text("hostPath", required=True), text("containerPath"), text("permissions")),
    texts("dns", unordered=True),
    texts("dnsOpts", unordered=True),
    texts("dnsSearches", unordered=True),
    text("domainname", default=""),
    texts("entrypoints"),
    texts("envs", unordered=True),
    text("gpus", pattern="all"),
    texts("groupAdds", unordered=True),
    record(
        "healthcheck",
        length("interval"),
        number("retries", default=0, minimum=0),
        length("startInterval"),
        length("startPeriod"),
        texts("tests"),
        length("timeout"),
    ),
    text("hostname"),
    records("hosts", text("host", required=True), text("ip", required=True)),
    text("image", required=True),
    flag("init"),
    text("ipcMode"),
    labels(),
    text("logDriver"),
    mapping("logOpts"),
    flag("logs", UPDATE),
    number("maxRetryCount", UPDATE, 0, 0),
    limit("memory", 0),
    limit("memoryReservation", 0),
    limit("memorySwap", 0, -1),
    records(
        "mounts",
        text("target", required=True),
        text("type", required=True, pattern="bind|volume|tmpfs"),
        record("bindOptions", text("propagation", pattern="r?(private|shared|slave)")),
        flag("readOnly"),
        text("source", default=""),
        record("tmpfsOptions", number("mode"), number("sizeBytes")),
        record(
            "volumeOptions",
            text("driverName"),
            mapping("driverOptions"),
            labels(),
            flag("noCopy"),
            text("subpath"),
        ),
    ),
    flag("mustRun", UPDATE, default=True),
    text("name", pattern="[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
    text("networkMode", default="bridge"),
    records(
        "networksAdvanced",
        text("name", required=True),
        texts("aliases", unordered=True),
        texts("driverOpts", unordered=True),
        number("gwPriority"),
        text("ipv4Address", default=""),
        text("ipv6Address", default=""),
        texts("linkLocalIps", unordered=True),
        text("macAddress", default=""),
        whole=True,
    ),
    text("pidMode"),
    text("platform"),
    records(
        "ports",
        number("internal", required=True, minimum=1),
        number("external", minimum=0),
        text("ip", default=ANY_ADDRESS),
        text("protocol", default="tcp", pattern="tcp|udp|sctp"),
    ),
    flag("privileged"),
    flag("publishAllPorts"),
    flag("readOnly"),
    flag("removeVolumes", UPDATE, default=True),
    text("restart", UPDATE, "no", "no|on-failure|always|unless-stopped"),
    flag("rm"),
    text("runtime"),
    texts("securityOpts", unordered=True),
    number("shmSize", minimum=0),
    flag("start", UPDATE, default=True),
    flag("stdinOpen"),
    text("stopSignal"),
    number("stopTimeout"),
    mapping("storageOpts"),
    mapping("sysctls"),
    mapping("tmpfs"),
    flag("tty"),
    records(
        "ulimits", text("name", required=True), number("hard", required=True), number("soft", required=True)
    ),
    records(
        "uploads",
        text("file", required=True),
        text("content", default=""),
        text("contentBase64", default=""),
        flag("executable"),
        text("permissions", default="", pattern="0[0-7]{3}|"),
        text("source", default=""),
        text("sourceHash", default=""),
        whole=True,
    ),
    text("user", default=""),
    text("usernsMode"),
    records(
        "volumes",
        text("containerPath", default=""),
        text("fromContainer", default=""),
        text("hostPath", default=""),
        flag("readOnly"),
        text("selinuxRelabel", default="", pattern="[zZ]|"),
        text("volumeName", default=""),
        whole=True,
    ),
    flag("wait", UPDATE),
    number("waitTimeout", UPDATE, 60, 0),
    text("workingDir", default=""),
)


def has_command_words(inputs: Mapping[str, Plain]) -> tuple[str, str] | None:
    """Refuse an empty word in the command, as the official plugin does."""
    command = inputs.get("command")
    if isinstance(command, list) and "" in command:
        return f"command[{command.index('')}]", "may not be empty"
    return None


def volumes_have_a_source(inputs: Mapping[str, Plain]) -> tuple[str, str] | None:
    """Refuse a volume that says neither where it goes nor whose volumes it takes."""
    volumes = inputs.get("volumes")
    for index, each in enumerate(volumes if isinstance(volumes, list) else ()):
        if each is UNKNOWN or each.get("fromContainer"):
            continue
        path = each.get("containerPath")
        if not path:
            return f"volumes[{index}].containerPath", "required, but not given"
        if path is not UNKNOWN and not path.startswith("/"):
            return f"volumes[{index}].containerPath", f"{path!r} is not an absolute path"
    return None


CONTAINER = Type(
    name="docker:index/container:Container",
    properties=PROPERTIES,
    named=True,
    delete_first=True,
    rules=(has_command_words, volumes_have_a_source),
)
