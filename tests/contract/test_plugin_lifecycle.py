"""What happens to resources between two `up`s: drift, import, cancel, kill, engines that are gone."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.portal.resource_types import CONTAINER, NETWORK, PASSWORD, VOLUME
from tests.contract.plugin_stack import IMAGE, Outcome, Stack, ensure_image, missing

docker = pytest.importorskip("docker")

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(missing() != "", reason=missing() or "-")]

SLEEP = {"image": IMAGE, "command": ["sleep", "1000"], "networkMode": "bridge", "destroyGraceSeconds": 1}
NEVER_HEALTHY = {
    "healthcheck": {"tests": ["CMD", "false"], "interval": "60s", "startPeriod": "60s"},
    "wait": True,
    "waitTimeout": 120,
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    client = docker.APIClient(version="auto")
    sweep(client)
    ensure_image(client)
    yield client
    sweep(client)
    client.close()


def sweep(client: Any) -> None:
    """Remove what a test that was killed may have left."""
    for each in client.containers(all=True, filters={"name": "^/conf-l-"}):
        client.remove_container(each["Id"], force=True, v=True)
    for each in client.networks(filters={"name": "^conf-l-"}):
        client.remove_network(each["Id"])
    for each in client.volumes(filters={"name": "conf-l-"})["Volumes"] or []:
        client.remove_volume(each["Name"])


@pytest.fixture
def stack(engine: Any, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    ended = made.destroy()
    assert not ended.failed, ended.output


def succeed(outcome: Outcome) -> Outcome:
    assert not outcome.failed, outcome.output
    assert "Traceback" not in outcome.output
    return outcome


def until(done: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return what `done` returns once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = done()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"gave up waiting for {what}")


def exists(engine: Any, name: str) -> bool:
    return bool(engine.containers(all=True, filters={"name": f"^/{name}$"}))


def runs(engine: Any, name: str) -> bool:
    """Whether it runs: by one question, because a container that is being removed is listed and cannot be inspected."""
    return bool(engine.containers(filters={"name": f"^/{name}$", "status": "running"}))


# --- drift -----------------------------------------------------------------------------------------


def test_drift_is_seen_by_a_refresh_and_mended(stack: Stack, engine: Any) -> None:
    net = {"name": "conf-l-net", "ipamConfigs": [{"subnet": "10.91.20.0/24"}]}
    strange = {"name": "conf-l-strange", "ipamConfigs": [{"subnet": "10.91.21.0/24"}]}
    joined = {"networksAdvanced": [{"name": "conf-l-net", "aliases": ["moved"]}]}
    after = {"depends_on_names": ["net", "strange"]}
    stack.resources = {
        "net": (NETWORK, net),
        "strange": (NETWORK, strange),
        "killed": (CONTAINER, {**SLEEP, "name": "conf-l-killed"}),
        "job": (
            CONTAINER,
            {**SLEEP, "name": "conf-l-job", "command": ["true"], "mustRun": False, "attach": True},
        ),
        "limited": (CONTAINER, {**SLEEP, "name": "conf-l-limited", "memory": 64, "memorySwap": 64}),
        "moved": (CONTAINER, {**SLEEP, "name": "conf-l-moved", **joined}, after),
        "gone": (CONTAINER, {**SLEEP, "name": "conf-l-gone"}),
        "volume": (VOLUME, {"name": "conf-l-volume"}),
    }
    succeed(stack.up())
    before = stack.state()
    assert before["job"]["outputs"]["exitCode"] == 0
    engine.kill("conf-l-killed")
    engine.update_container("conf-l-limited", mem_limit=96 * 2**20, memswap_limit=96 * 2**20)
    engine.connect_container_to_network("conf-l-moved", "conf-l-strange")
    engine.remove_container("conf-l-gone", force=True)
    engine.remove_volume("conf-l-volume")
    assert stack.preview().changed() == {}

    outcome = succeed(stack.preview("--refresh"))
    steps = {
        name: next(step for step in all if step.op not in ("refresh", "delete-replaced"))
        for name, all in outcome.steps.items()
    }
    assert (steps["killed"].op, steps["killed"].detailed) == ("update", {"mustRun": "update"})
    assert (steps["limited"].op, set(steps["limited"].detailed)) == ("update", {"memory", "memorySwap"})
    assert (steps["moved"].op, steps["moved"].detailed) == ("replace", {"networksAdvanced": "update-replace"})
    assert (steps["gone"].op, steps["volume"].op, steps["job"].op) == ("create", "create", "same")

    succeed(stack.up("--refresh"))
    state = stack.state()
    assert state["killed"]["id"] == before["killed"]["id"]
    assert engine.inspect_container("conf-l-killed")["State"]["Running"]
    assert engine.inspect_container("conf-l-limited")["HostConfig"]["Memory"] == 64 * 2**20
    assert set(engine.inspect_container("conf-l-moved")["NetworkSettings"]["Networks"]) == {"conf-l-net"}
    assert stack.preview("--refresh").changed() == {}


def test_what_is_there_can_be_imported_by_name_or_id(stack: Stack, engine: Any) -> None:
    pool = docker.types.IPAMPool(subnet="10.91.22.0/24", gateway="10.91.22.1")
    ipam = docker.types.IPAMConfig(pool_configs=[pool])
    network = engine.create_network("conf-l-net", ipam=ipam, labels={"a": "1"}, internal=True)["Id"]
    engine.create_volume("conf-l-volume", labels={"a": "1"})
    host = engine.create_host_config(
        binds=["conf-l-volume:/data:ro"],
        mem_limit=64 * 2**20,
        memswap_limit=64 * 2**20,
        cap_drop=["ALL"],
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 2},
        tmpfs={"/tmp": "size=1m"},
        port_bindings={80: ("127.0.0.1", 18098)},
        log_config={"Type": "json-file", "Config": {"max-size": "1m"}},
    )
    networking = engine.create_networking_config({"conf-l-net": engine.create_endpoint_config(aliases=["x"])})
    made = engine.create_container(
        IMAGE,
        ["sleep", "1000"],
        name="conf-l-c",
        environment=["A=1"],
        labels={"b": "2"},
        hostname="h",
        user="1000",
        ports=[80],
        host_config=host,
        networking_config=networking,
        healthcheck={"test": ["CMD", "true"], "interval": 5 * 10**9},
    )["Id"]
    engine.start(made)
    import_inputs = {
        "image": IMAGE,
        "name": "conf-l-c",
        "command": ["sleep", "1000"],
        "envs": ["A=1"],
        "hostname": "h",
        "user": "1000",
        "labels": [{"label": "b", "value": "2"}],
        "memory": 64,
        "memorySwap": 64,
        "capabilities": {"drops": ["ALL"]},
        "restart": "on-failure",
        "maxRetryCount": 2,
        "tmpfs": {"/tmp": "size=1m"},
        "ports": [{"internal": 80, "external": 18098, "ip": "127.0.0.1"}],
        "logDriver": "json-file",
        "logOpts": {"max-size": "1m"},
        "volumes": [{"volumeName": "conf-l-volume", "containerPath": "/data", "readOnly": True}],
        "networksAdvanced": [{"name": "conf-l-net", "aliases": ["x"]}],
        "healthcheck": {"tests": ["CMD", "true"], "interval": "5s"},
    }
    pools = [{"subnet": "10.91.22.0/24", "gateway": "10.91.22.1"}]
    labels = [{"label": "a", "value": "1"}]
    stack.resources = {
        "net": (
            NETWORK,
            {"name": "conf-l-net", "ipamConfigs": pools, "labels": labels, "internal": True},
            {"import_": network},
        ),
        "volume": (VOLUME, {"name": "conf-l-volume", "labels": labels}, {"import_": "conf-l-volume"}),
        "c": (CONTAINER, import_inputs, {"import_": "conf-l-c"}),
    }
    succeed(stack.up())
    assert stack.state()["c"]["id"] == made
    # Containers go before what they use: the program's order is not enough once nothing depends on anything.
    stack.resources["c"] = (CONTAINER, import_inputs, {"depends_on_names": ["net", "volume"]})
    assert succeed(stack.up("--refresh")).changed() == {}
    assert engine.inspect_container("conf-l-c")["Id"] == made


# --- secrets ---------------------------------------------------------------------------------------


def test_secrets_are_secret_in_the_state_whatever_happens(stack: Stack, engine: Any) -> None:
    upload = [{"file": "/run/secrets/a", "content": "h1dden-upload"}, {"file": "/etc/b", "content": "plain"}]
    stack.resources = {
        "good": (
            CONTAINER,
            {**SLEEP, "name": "conf-l-good", "uploads": upload, "envs": ["A=h1dden-env"]},
            {"secrets": ["uploads", "envs"]},
        ),
        "bad": (
            CONTAINER,
            {**SLEEP, "name": "conf-l-bad", "uploads": upload, "command": ["/no/such"]},
            {"secrets": ["uploads"]},
        ),
        "password": (PASSWORD, {"length": 20}),
    }
    outcome = stack.up("--continue-on-error")
    assert outcome.failed
    exported = stack.run("stack", "export").stdout
    shown = outcome.output + exported + stack.run("preview", "--diff").stdout
    assert "h1dden" not in shown
    state = stack.state()
    assert state["bad"]["initErrors"]
    assert "ciphertext" in state["good"]["outputs"]["uploads"]
    assert "ciphertext" in state["good"]["outputs"]["envs"]
    assert state["good"]["outputs"]["image"] == IMAGE
    assert "ciphertext" in state["password"]["outputs"]["result"]
    assert "h1dden-upload" not in json.dumps(engine.inspect_container("conf-l-good"))
    succeed(
        stack.up(
            "--refresh", "--target", "urn:pulumi:dev::conformance::docker:index/container:Container::good"
        )
    )
    assert "h1dden" not in stack.run("stack", "export").stdout


def test_a_container_with_much_to_upload_can_be_half_made(stack: Stack) -> None:
    upload = [{"file": "/big", "content": "x" * 300_000}]
    stack.resources = {
        "big": (CONTAINER, {**SLEEP, "name": "conf-l-big", "uploads": upload, "command": ["/no/such"]})
    }
    assert stack.up().failed
    assert stack.state()["big"]["initErrors"]


# --- networks --------------------------------------------------------------------------------------


def test_a_container_on_networks_of_its_own_never_touches_the_default_one(stack: Stack, engine: Any) -> None:
    networks = {f"conf-l-n{index}": f"10.91.{23 + index}.0/24" for index in (0, 1)}
    stack.resources = {
        name: (NETWORK, {"name": name, "internal": True, "ipamConfigs": [{"subnet": subnet}]})
        for name, subnet in networks.items()
    }
    joined = [{"name": name} for name in networks]
    stack.resources["c"] = (
        CONTAINER,
        {**SLEEP, "name": "conf-l-c", "networksAdvanced": joined},
        {"depends_on_names": list(networks)},
    )
    since = int(time.time())
    succeed(stack.up())
    container = engine.inspect_container("conf-l-c")
    events = engine.events(
        since=since, until=int(time.time()) + 1, decode=True, filters={"type": "network", "event": "connect"}
    )
    met = {
        each["Actor"]["Attributes"]["name"]
        for each in events
        if each["Actor"]["Attributes"]["container"] == container["Id"]
    }
    assert met == set(networks)
    assert container["HostConfig"]["NetworkMode"] == "bridge"


# --- many at once ----------------------------------------------------------------------------------


def test_creations_run_at_the_same_time(stack: Stack) -> None:
    count = 32
    # Each waits until all are there: one after the other, none would ever end.
    wait = f"touch /all/$HOSTNAME; until [ $(ls /all | wc -l) = {count} ]; do sleep 0.1; done"
    job = {**SLEEP, "command": ["sh", "-c", wait], "attach": True, "mustRun": False}
    volumes = {"volumes": [{"volumeName": "conf-l-all", "containerPath": "/all"}]}
    stack.resources = {"all": (VOLUME, {"name": "conf-l-all"})}
    stack.resources |= {
        f"job-{index}": (
            CONTAINER,
            {**job, **volumes, "name": f"conf-l-{index}"},
            {"depends_on_names": ["all"]},
        )
        for index in range(count)
    }
    succeed(stack.up("--parallel", "64"))
    assert {each["outputs"]["exitCode"] for name, each in stack.state().items() if name != "all"} == {0}


# --- waiting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (
            {
                "command": ["sh", "-c", "echo why not; exit 4"],
                "healthcheck": {"tests": ["CMD", "true"], "interval": "60s"},
            },
            "exit code 4: why not",
        ),
        (
            {
                "command": ["sh", "-c", "exit 5"],
                "restart": "always",
                "healthcheck": {"tests": ["CMD", "true"], "interval": "60s"},
            },
            "ended 5 times before it was healthy, with exit code 5",
        ),
        (
            {
                "healthcheck": {
                    "tests": ["CMD-SHELL", "echo no luck; exit 1"],
                    "interval": "200ms",
                    "retries": 1,
                }
            },
            "the container is unhealthy: the last probe ended with exit code 1: no luck",
        ),
        ({}, "wait needs a healthcheck"),
    ],
)
def test_waiting_ends_as_soon_as_it_is_hopeless(stack: Stack, inputs: dict[str, Any], reason: str) -> None:
    stack.resources = {
        "c": (CONTAINER, {**SLEEP, "name": "conf-l-c", "wait": True, "waitTimeout": 250, **inputs})
    }
    assert stack.up().failed
    assert reason in stack.state()["c"]["initErrors"][0]


def test_waiting_ends_with_its_time(stack: Stack) -> None:
    stack.resources = {"c": (CONTAINER, {**SLEEP, "name": "conf-l-c", **NEVER_HEALTHY, "waitTimeout": 1})}
    assert stack.up().failed
    assert stack.state()["c"]["initErrors"] == [
        "gave up after 1 s of waiting for the container to become healthy"
    ]


# --- ends ------------------------------------------------------------------------------------------


def started(stack: Stack) -> subprocess.Popen[str]:
    command = stack.command("up", "--yes", "--skip-preview")
    return subprocess.Popen(
        command,
        cwd=stack.work,
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def plugins_of(cli: int) -> list[int]:
    """The plugin processes that a CLI has started."""
    children = []
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == cli and "plugins." in (each / "cmdline").read_text():
                children.append(int(each.name))
    return children


def test_a_cancelled_up_ends_at_once_and_is_mended_by_the_next(stack: Stack, engine: Any) -> None:
    stack.resources = {"c": (CONTAINER, {**SLEEP, "name": "conf-l-c", **NEVER_HEALTHY})}
    up = started(stack)
    until(lambda: runs(engine, "conf-l-c"), "the container")
    stopped_at = time.monotonic()
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=60)
    assert time.monotonic() - stopped_at < 30
    assert "Traceback" not in output
    assert "cancelled while waiting" in stack.state()["c"]["initErrors"][0]
    stack.resources = {"c": (CONTAINER, {**SLEEP, "name": "conf-l-c"})}
    succeed(stack.up())


def test_the_plugins_of_a_killed_up_end_and_leave_nothing_unknown(stack: Stack, engine: Any) -> None:
    stack.resources = {
        "c": (CONTAINER, {**SLEEP, "name": "conf-l-c", **NEVER_HEALTHY}),
        "password": (PASSWORD, {"length": 20}),
    }
    up = started(stack)
    until(lambda: runs(engine, "conf-l-c"), "the container")
    plugins = plugins_of(up.pid)
    assert plugins
    up.kill()
    up.communicate()
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in plugins), "the end of the plugins", 15)
    assert not exists(engine, "conf-l-c")
    stack.run("cancel", "--yes")
    stack.resources["c"] = (CONTAINER, {**SLEEP, "name": "conf-l-c"})
    succeed(stack.up())


# --- engines and settings --------------------------------------------------------------------------


PROVIDER_PROGRAM = """
import pulumi
import pulumi_docker as docker

provider = docker.Provider("engine", {settings})
docker.Volume("volume", name="conf-l-volume", opts=pulumi.ResourceOptions(provider=provider))
"""


def test_an_explicit_provider_works_and_never_changes(stack: Stack, engine: Any) -> None:
    auth = "docker.ProviderRegistryAuthArgs(address='https://r.example', username='u', password=pulumi.Output.secret('h1dden'))"
    stack.program(
        PROVIDER_PROGRAM.format(settings=f"host='unix:///var/run/docker.sock', registry_auth=[{auth}]")
    )
    succeed(stack.up())
    assert engine.inspect_volume("conf-l-volume")
    assert succeed(stack.preview()).changed() == {}
    assert succeed(stack.up("--refresh")).changed() == {}
    assert "h1dden" not in stack.run("stack", "export").stdout


def test_settings_that_are_not_served_are_refused_in_the_preview(stack: Stack) -> None:
    stack.program(PROVIDER_PROGRAM.format(settings="cert_path='/x'"))
    outcome = stack.preview()
    assert outcome.failed
    assert "not served by this plugin" in outcome.output


def test_types_that_are_not_served_are_refused_in_the_preview(stack: Stack) -> None:
    stack.resources = {"s": ("docker:index/secret:Secret", {"name": "conf-l-s", "data": "YQ=="})}
    outcome = stack.preview()
    assert outcome.failed
    assert "docker:index/secret:Secret is not served by this plugin" in outcome.output


@pytest.mark.parametrize("host", ["unix:///no/such.sock", "tcp://127.0.0.1:9"])
def test_without_an_engine_a_preview_works_and_up_says_why_not(tmp_path: Path, host: str) -> None:
    stack = Stack(tmp_path, {"DOCKER_HOST": host})
    stack.resources = {
        "v": (VOLUME, {"name": "conf-l-volume"}),
        "c": (CONTAINER, {**SLEEP, "name": "conf-l-c"}),
    }
    succeed(stack.preview())
    outcome = stack.up()
    assert outcome.failed
    lines = [line.strip() for line in outcome.output.splitlines() if "cannot reach" in line]
    reason = "No such file or directory" if host.startswith("unix") else "Connection refused"
    assert lines
    assert all(re.search(rf"cannot reach the Docker engine at {host}: {reason}$", line) for line in lines), (
        lines
    )
    assert stack.state() == {}


class Relay:
    """A Docker socket that hands on to the real one, until it is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open: list[socket.socket] = []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect("/var/run/docker.sock")
                self.open += [near, far]
                threading.Thread(target=self._hand_on, args=(near, far), daemon=True).start()

    def _hand_on(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                for ready in select.select([near, far], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (far if ready is near else near).sendall(data)

    def close(self) -> None:
        self.path.unlink()
        for each in (self.server, *self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def test_an_engine_that_goes_half_way_is_told_in_one_line(engine: Any, tmp_path: Path) -> None:
    short = Path(f"/tmp/conf-{os.getpid()}.sock")
    relay = Relay(short)
    stack = Stack(tmp_path, {"DOCKER_HOST": f"unix://{short}"})
    stack.resources = {"c": (CONTAINER, {**SLEEP, "name": "conf-l-c", **NEVER_HEALTHY})}
    up = started(stack)
    until(lambda: runs(engine, "conf-l-c"), "the container")
    relay.close()
    output, _ = up.communicate(timeout=60)
    assert "Traceback" not in output
    assert f"cannot reach the Docker engine at unix://{short}" in output
    assert "cannot reach" in stack.state()["c"]["initErrors"][0]
    stack.environment.pop("DOCKER_HOST")
    stack.resources = {"c": (CONTAINER, {**SLEEP, "name": "conf-l-c"})}
    succeed(stack.up())
    succeed(stack.destroy())


def test_a_volume_that_keeps_its_data_elsewhere_is_refused(stack: Stack, engine: Any) -> None:
    engine.create_volume("conf-l-volume")
    options = {"type": "none", "o": "bind", "device": "/srv"}
    stack.resources = {"v": (VOLUME, {"name": "conf-l-volume", "driver": "local", "driverOpts": options})}
    outcome = stack.up()
    assert "a volume conf-l-volume exists with other options" in outcome.output
    assert stack.state() == {}
    engine.remove_volume("conf-l-volume")


def test_the_plugin_tells_who_should_start_it() -> None:
    ended = subprocess.run(
        [shutil.which("python") or "python3", "-m", "plugins.docker"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "the Pulumi CLI starts it" in ended.stderr
