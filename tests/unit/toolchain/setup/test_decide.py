"""Facts about a machine in, a source for each part out."""

from dataclasses import replace
from typing import Any

import pytest

from toolchain.errors import ToolchainError
from toolchain.parts.engine import Answer
from toolchain.pins import Pins
from toolchain.setup.decide import Facts, choose_sources

SUMS = {
    "pulumi-v3.256.0-linux-x64.tar.gz": "a" * 64,
    "pulumi-resource-docker-v5.1.0-linux-amd64.tar.gz": "b" * 64,
    "pulumi-resource-random-v4.21.1-linux-amd64.tar.gz": "c" * 64,
}
PINS = replace(Pins.load(), archives=SUMS)
READY = Answer(state="ready", where="unix:///var/run/docker.sock", version="API 1.41")
ABSENT = Answer(state="absent", where="unix:///var/run/docker.sock", detail="No such file or directory")
ALL = frozenset({"engine", "venv", "pulumi", "language-host", "plugins", "state", "images", "browser"})
# A Debian with git and python3, as root, that reaches package registries only.
EMPTY = Facts(
    forced="",
    root=True,
    debian=True,
    engine=ABSENT,
    free_mib=10_000,
    ensurepip=False,
    certificates=False,
)
# A developer's machine: Docker, Go and Pulumi are there, the internet too.
DEVELOPER = Facts(
    forced="",
    root=False,
    debian=True,
    engine=READY,
    pulumi="v3.256.0",
    language_host=True,
    go="go version go1.27.3 linux/amd64",
    official=True,
    free_mib=10_000,
)


def sources(facts: Facts) -> dict[str, str]:
    return {part: choice.source for part, choice in choose_sources(facts, PINS, ALL).items()}


def test_an_empty_machine_gets_everything_from_packages() -> None:
    plan = choose_sources(EMPTY, PINS, ALL)
    assert {part: choice.source for part, choice in plan.items()} == {
        "basics": "debian",
        "engine": "debian",
        "venv": "packages",
        "go": "packages",
        "pulumi": "packages",
        "language-host": "packages",
        "plugins": "packages",
        "state": "made",
        "images": "debian",
        "browser": "debian",
    }
    assert plan["basics"].packages == ("ca-certificates", "python3-venv")
    assert plan["engine"].packages == ("docker.io", "iptables")
    assert plan["venv"].packages == plan["go"].packages == ("python3-venv",)
    assert plan["pulumi"].packages == ("ca-certificates",)


def test_what_a_developer_has_is_used() -> None:
    assert sources(DEVELOPER) == {
        "engine": "there",
        "venv": "packages",
        "pulumi": "there",
        "language-host": "there",
        "plugins": "official",
        "state": "made",
        "images": "none",
        "browser": "none",
    }


@pytest.mark.parametrize(
    ("changes", "part", "source"),
    [
        # the CLI
        ({"pulumi": ""}, "pulumi", "official"),
        ({"pulumi": "", "official": False}, "pulumi", "packages"),
        ({"pulumi": "v3.255.1"}, "pulumi", "official"),
        ({"pulumi": "v3.300.0"}, "pulumi", "there"),
        ({"pulumi": "v4.0.0"}, "pulumi", "official"),
        ({"pulumi": "no version at all"}, "pulumi", "official"),
        ({"pulumi": "", "forced": "packages"}, "pulumi", "packages"),
        ({"forced": "packages"}, "pulumi", "packages"),
        ({"forced": "official"}, "pulumi", "official"),
        # its language host: never one of another kind than the CLI's
        ({"language_host": False}, "pulumi", "official"),
        ({"language_host": False}, "language-host", "official"),
        ({"forced": "packages"}, "language-host", "packages"),
        # plugins
        ({"official": False}, "plugins", "packages"),
        ({"official": False}, "pulumi", "there"),
        ({"forced": "official", "official": False}, "plugins", "official"),
        # an archive whose sum nobody has pinned is not taken
        ({"pulumi": "", "machine": "aarch64"}, "pulumi", "packages"),
        ({"machine": "aarch64"}, "plugins", "packages"),
        # Go, only where something is built
        ({"forced": "packages"}, "go", "there"),
        ({"forced": "packages", "go": "go version go1.19.8 linux/amd64"}, "go", "packages"),
        ({"forced": "packages", "go": "go version go1.26 linux/arm64"}, "go", "there"),
        ({"forced": "packages", "go": ""}, "go", "packages"),
        # the engine
        ({"engine": replace(READY, state="unasked", where="ssh://root@host")}, "engine", "there"),
        ({"engine": ABSENT, "root": True, "programs": frozenset({"dockerd"})}, "engine", "started"),
        ({"engine": ABSENT, "root": True}, "engine", "debian"),
        # what only helps
        ({"root": True}, "images", "debian"),
        ({"root": True, "debian": False}, "images", "none"),
        ({"programs": frozenset({"mmdebstrap"})}, "images", "there"),
        ({"programs": frozenset({"chromium"})}, "browser", "there"),
    ],
)
def test_a_difference_decides(changes: dict[str, Any], part: str, source: str) -> None:
    assert sources(replace(DEVELOPER, **changes))[part] == source


def test_go_is_not_wanted_where_nothing_is_built() -> None:
    assert "go" not in sources(DEVELOPER)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"engine": ABSENT},
            "engine: no Docker engine answers at unix:///var/run/docker.sock and this user is not root; as root: "
            "apt-get update && apt-get install --no-install-recommends docker.io iptables && dockerd",
        ),
        (
            {"engine": replace(ABSENT, state="denied"), "env": {"USER": "ann"}},
            "engine: this user may not use the Docker engine at unix:///var/run/docker.sock; as root: "
            "usermod -aG docker ann (then log in again), or run this as root",
        ),
        (
            {"engine": replace(READY, state="old", detail="API 1.40, needed is 1.41 or newer")},
            "engine: the Docker engine at unix:///var/run/docker.sock is too old "
            "(API 1.40, needed is 1.41 or newer); upgrade it, or set DOCKER_HOST to another one",
        ),
        (
            {
                "root": True,
                "engine": Answer(state="absent", where="tcp://h:1", detail="Connection refused"),
                "env": {"DOCKER_HOST": "tcp://h:1"},
            },
            "engine: no Docker engine answers at DOCKER_HOST=tcp://h:1 (Connection refused); start that engine, "
            "or unset DOCKER_HOST to use this machine's own",
        ),
        (
            {"engine": ABSENT, "root": True, "debian": False},
            "engine: no Docker engine answers at unix:///var/run/docker.sock and this is not Debian (no apt-get); "
            "install and start Docker",
        ),
        (
            {"ensurepip": False},
            "venv: this Python has no ensurepip; as root: "
            "apt-get update && apt-get install --no-install-recommends python3-venv",
        ),
        (
            {"forced": "packages", "free_mib": 3999},
            "pulumi: the build needs 4000 MiB for a while, but the cache's disk has 3999 free; "
            "free some space, or set XDG_CACHE_HOME to a directory on another disk",
        ),
        (
            {"forced": "official", "machine": "aarch64"},
            "\n".join(
                f"{name} has no SHA-256 under [archives] in toolchain/pins.toml, so it cannot be verified: add it "
                "there (the file says how), or build it here with PORTAL_TOOLCHAIN=packages"
                for name in (
                    "pulumi-v3.256.0-linux-arm64.tar.gz",
                    "pulumi-resource-docker-v5.1.0-linux-arm64.tar.gz",
                )
            ),
        ),
        ({"forced": "yes"}, "PORTAL_TOOLCHAIN is 'yes', expected official, packages, or unset"),
    ],
)
def test_what_cannot_be_had_is_told_with_the_remedy(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolchainError) as error:
        choose_sources(replace(DEVELOPER, **changes), PINS, ALL)
    assert str(error.value) == words


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ToolchainError) as error:
        choose_sources(replace(DEVELOPER, engine=ABSENT, ensurepip=False), PINS, ALL)
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == ["engine", "venv"]
