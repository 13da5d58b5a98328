"""What the engine refuses, the operator reads: one clear reason, an exit code, no traceback; and mending it suffices."""

import re
import socket
from collections.abc import Iterator

import pytest

from testbed.checkout import Checkout
from testbed.command_result import CommandResult
from testbed.objects import Objects
from testbed.trial import Trial

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

# What a reader of an error takes for a crash of ours.
CRASH = re.compile(r"Traceback|panic:|grpc|goroutine|File \".*\", line \d+|RpcError|_InactiveRpcError")
# The reason is one line; the rest of what an `up` prints is its progress.
LONGEST_LINE = 400


def reason(ran: CommandResult, pattern: str) -> str:
    """The line that tells why. Fails when the command succeeded, crashed, or does not say why in one line."""
    assert ran.code != 0, str(ran)
    assert not CRASH.search(ran.output), str(ran)
    lines = [line.strip() for line in ran.output.splitlines() if re.search(pattern, line)]
    assert lines, f"no line reads {pattern!r}:\n{ran}"
    assert min(map(len, lines)) < LONGEST_LINE, lines
    return lines[0]


@pytest.mark.parametrize(
    "verb", [["status"], ["up"], ["destroy", "--confirm", "e2e-fir"]], ids=lambda words: words[0]
)
def test_without_an_engine(fir: Trial, verb: list[str]) -> None:
    """Exit code 5, where it was looked for, and what to do."""
    ran = fir.checkout.portal(verb[0], fir.name, *verb[1:], DOCKER_HOST="tcp://127.0.0.1:9")
    why = reason(ran, r"no Docker engine answers")
    assert "127.0.0.1:9" in why
    assert ran.code == 5, str(ran)


def test_an_image_that_is_not_there(fir: Trial) -> None:
    """By the plain CLI, which builds none: the engine's own words, with the image's name."""
    entry = fir.checkout.folder / "images" / "ops" / "entry"
    before = entry.read_text()
    entry.write_text(before + "# Changed, so that its hash is of no image.\n")
    try:
        ran = fir.checkout.shell(
            f"pulumi stack select --create {fir.name} && pulumi up --yes --skip-preview --non-interactive"
        )
        assert re.search(
            r"portals/ops:\w+", reason(ran, r"(?i)no such image|pull access denied|unable to find")
        )
        assert not fir.objects.containers(fir.name)
    finally:
        entry.write_text(before)


@pytest.fixture
def neighbour(objects: Objects) -> Iterator[str]:
    """Somebody else's network, on a subnet that the tenant wants."""
    pool = {"Config": [{"Subnet": "10.77.252.64/26"}]}
    objects.client.create_network("e2e-neighbour", driver="bridge", ipam=pool)
    yield "e2e-neighbour"
    objects.client.remove_network("e2e-neighbour")


def test_a_subnet_that_somebody_else_has(fir: Trial, neighbour: str) -> None:
    """Tenant files cannot know the other networks of a host; the engine does."""
    ran = fir.checkout.portal("up", fir.name)
    reason(ran, rf"placement/subnet: .* overlaps 10\.77\.252\.64/26 of the engine's network {neighbour}")
    assert ran.code == 10
    assert not fir.objects.containers(fir.name, jobs=False)


def test_a_gate_that_fails(fir: Trial) -> None:
    """The job's own last words, and that the same command tries it again; nothing starts behind it."""
    aside = "/drive/sentinel-aside"
    fir.objects.run_on_drive(
        fir.root, f"cp /drive/.portals-drive {aside}; echo somebody-elses > /drive/.portals-drive"
    )
    try:
        ran = fir.checkout.portal("up", fir.name)
        reason(ran, r"job storage-init of portal e2e-fir ended with exit code 1")
        reason(ran, r"does not read 'portals-drive' but 'somebody-elses'")
        reason(ran, r"run `\./portal up e2e-fir` to run it again")
        assert not fir.objects.containers(fir.name, jobs=False)
        assert (
            not fir.directory.exists() or fir.objects.run_on_drive(fir.root, f"ls -A /drive/{fir.name}") == ""
        )
    finally:
        fir.objects.run_on_drive(fir.root, f"mv {aside} /drive/.portals-drive")


def test_a_port_that_another_program_has(fir: Trial) -> None:
    """The engine's reason names the address; once the port is free, the same command ends well."""
    with socket.create_server(("127.0.0.1", fir.port)):
        ran = fir.checkout.portal("up", fir.name)
        reason(ran, rf"127\.0\.0\.1:{fir.port}, .* is taken by a program of the engine's host")
        assert ran.code == 10
    fir.up()
    fir.assert_whole()


def test_a_tenant_that_is_not_there(checkout: Checkout) -> None:
    """A slip in the name makes nothing."""
    ran = checkout.portal("up", "e2e-beech")
    reason(ran, "e2e-beech")
    assert ran.code == 2
