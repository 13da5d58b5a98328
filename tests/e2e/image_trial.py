"""Containers of single images, under the same rules as a portal's: what the tests of the images share."""

import functools
import io
import secrets
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import docker.errors
import docker.types
from docker import APIClient
from docker.utils.socket import STDOUT

from config.images import references
from testbed import container_exec
from testbed.waiting import until

ROOT = Path(__file__).resolve().parents[2]
# Alone a store is ready in 1 to 8 s; on a busy machine it shares two cores with other tests.
READY_LIMIT_SECONDS = 90.0


@dataclass(frozen=True, kw_only=True)
class TrialNetwork:
    """The network and the label of a set of tests of single images.

    Each set has its own, so that two workers can run at the same time.
    """

    name: str
    subnet: str

    @property
    def network(self) -> str:
        return f"c-{self.name}"

    @property
    def labels(self) -> dict[str, str]:
        return {"portal.test": self.name}

    @property
    def label(self) -> str:
        """The labels as a filter of the engine's has them."""
        return f"portal.test={self.name}"

    @property
    def lock(self) -> Path:
        """Containers, network and subnet have fixed names: one run at a time on a machine."""
        return Path(f"/var/tmp/portals-e2e-{self.name}.lock")


IMAGES_NETWORK = TrialNetwork(name="images", subnet="10.99.3.0/24")
MAILS_NETWORK = TrialNetwork(name="mail", subnet="10.99.6.0/24")


@dataclass(frozen=True, kw_only=True)
class StoreContract:
    """The contract of a data store."""

    role: str
    uid: int
    memory: int
    exit_codes: tuple[int, ...] = (0,)
    secrets: tuple[str, ...] = ()
    password: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)


KINDS = {
    each.role: each
    for each in (
        StoreContract(
            role="mysql",
            uid=60999,
            memory=512,
            secrets=("mysql-root-password", "mysql-edxapp-password"),
            password="mysql-edxapp-password",
            config={"databases": "edxapp edxapp mysql-edxapp-password\n"},
            tmpfs={"/run/mysqld": "mode=0755,size=4m,uid=60999,gid=60999"},
        ),
        # A Java program that is asked to end by SIGTERM says so in its code.
        StoreContract(
            role="mongo",
            uid=60998,
            memory=384,
            exit_codes=(143,),
            secrets=("mongo-password",),
            password="mongo-password",
        ),
        StoreContract(
            role="redis", uid=60997, memory=128, secrets=("redis-password",), password="redis-password"
        ),
        StoreContract(
            role="rabbitmq",
            uid=60996,
            memory=384,
            secrets=("rabbitmq-password",),
            password="rabbitmq-password",
            env=("RABBITMQ_USER=edxapp", "RABBITMQ_VHOST=openedx"),
        ),
        StoreContract(
            role="elasticsearch",
            uid=60995,
            memory=768,
            exit_codes=(143,),
            secrets=("search-password",),
            password="search-password",
        ),
    )
}


def image(role: str) -> str:
    """The image of a role as this checkout builds it."""
    return image_references()[role]


@functools.cache
def image_references() -> dict[str, str]:
    """Every role's image reference, computed once: a later edit does not change what is tested."""
    return references(ROOT / "images")


def archive(files: Mapping[str, str | bytes], mode: int = 0o444) -> bytes:
    """A tar file of root's files, as the program uploads them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name.lstrip("/"))
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))
    return made.getvalue()


@dataclass(kw_only=True)
class ImageContainer:
    """One container with the same restrictions as a portal's."""

    client: APIClient
    name: str
    role: str
    user: str = ""
    memory: int = 128
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    env: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[str, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Any, ...] = ()
    capabilities: tuple[str, ...] = ()
    network: str = ""
    dns: tuple[str, ...] = ()
    trial: TrialNetwork = IMAGES_NETWORK

    def __post_init__(self) -> None:
        self.network = self.network or self.trial.network

    def create(self) -> Self:
        """Create the container; one of the same name is removed first."""
        self.remove()
        limit = self.memory * 1024 * 1024
        host = self.client.create_host_config(
            binds=list(self.binds) or None,
            mounts=list(self.mounts) or None,
            cap_drop=["ALL"],
            cap_add=list(self.capabilities) or None,
            security_opt=["no-new-privileges:true"],
            mem_limit=limit,
            memswap_limit=limit,
            tmpfs={"/tmp": "mode=1777,size=64m", **self.tmpfs},
            ulimits=[docker.types.Ulimit(name="nofile", soft=8192, hard=8192)],
            network_mode=self.network,
            dns=list(self.dns) or None,
        )
        alias = self.client.create_endpoint_config(aliases=[self.name.removeprefix("c-")])
        self.client.create_container(
            image(self.role),
            list(self.command) or None,
            name=self.name,
            entrypoint=list(self.entrypoint) if self.entrypoint else None,
            user=self.user or None,
            environment=[f"PORTAL_MEMORY_MB={self.memory}", *self.env],
            labels=self.trial.labels,
            host_config=host,
            networking_config=(
                None
                if self.network == "none"
                else self.client.create_networking_config({self.network: alias})
            ),
        )
        if self.files:
            self.client.put_archive(self.name, "/", archive(self.files))
        return self

    def start(self) -> Self:
        self.client.start(self.name)
        return self

    def remove(self) -> None:
        try:
            self.client.remove_container(self.name, force=True, v=True)
        except docker.errors.NotFound:
            return

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.client.inspect_container(self.name)["State"]
        return state

    @property
    def address(self) -> str:
        settings = self.client.inspect_container(self.name)["NetworkSettings"]
        return str(settings["Networks"][self.network]["IPAddress"])

    def logs(self) -> str:
        text: bytes = self.client.logs(self.name)
        return text.decode("utf-8", "replace")

    def exec(self, *words: str, env: Mapping[str, str] | None = None, user: str = "") -> tuple[int, str]:
        """Run a command in the container; returns its exit code and its output."""
        return container_exec.run(self.client, self.name, *words, env=env, user=user)

    def lines(self, *words: str, env: Mapping[str, str] | None = None) -> Iterator[str]:
        """Run a command in the container; the lines of its standard output as they come."""
        rest = b""
        _, parts = container_exec.begin(self.client, self.name, words, env)
        for stream, data in parts:
            if stream == STDOUT:
                *whole, rest = (rest + data).split(b"\n")
                yield from (line.decode() for line in whole)

    def ready(self) -> bool:
        """Whether the image's probe succeeds. Fails at once when the container has ended."""
        if not self.state["Running"]:
            raise AssertionError(
                f"{self.name} ended with code {self.state['ExitCode']}:\n{self.logs()[-3000:]}"
            )
        try:
            return self.exec("/usr/local/bin/probe")[0] == 0
        except docker.errors.APIError:
            return False

    def wait_ready(self) -> float:
        """Wait for the probe; returns the seconds that it took."""
        began = time.monotonic()
        until(f"{self.name} to be ready", self.ready, limit=READY_LIMIT_SECONDS)
        return time.monotonic() - began

    def wait_end(self, limit: float = 60.0) -> int:
        """Wait until it has ended by itself; returns its exit code."""
        return int(self.client.wait(self.name, timeout=limit)["StatusCode"])

    def kill(self) -> None:
        self.client.kill(self.name)
        self.wait_end()

    def stop(self, grace: int = 30) -> tuple[int, float]:
        """SIGTERM, and SIGKILL after the grace; exit code and seconds."""
        began = time.monotonic()
        self.client.stop(self.name, timeout=grace)
        return int(self.state["ExitCode"]), time.monotonic() - began


def fresh_secrets(kind: StoreContract) -> dict[str, str]:
    """A new value for each secret, with what quoting gets wrong."""
    return {name: f"{secrets.token_hex(12)}'\"\\$ &{secrets.token_hex(4)}" for name in kind.secrets}


def store(
    client: APIClient, kind: StoreContract, folder: Path, secrets: Mapping[str, str], name: str = ""
) -> ImageContainer:
    """A data store's container over a directory, with these secrets."""
    return ImageContainer(
        client=client,
        name=name or f"c-{kind.role}",
        role=kind.role,
        user=str(kind.uid),
        memory=kind.memory,
        env=kind.env,
        files={
            **{f"/portal/config/{each}": text for each, text in kind.config.items()},
            **{f"/run/secrets/{each}": value for each, value in secrets.items()},
        },
        binds=(f"{folder}:/data",),
        tmpfs=kind.tmpfs,
    )
