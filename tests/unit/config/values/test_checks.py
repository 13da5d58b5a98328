"""The checks of single values, as tables."""

from collections.abc import Callable

import pytest

from config.values import checks, drive_paths, host_names, names, placement


def taken(check: Callable[[str], object], text: str) -> bool:
    reason = ""
    try:
        check(text)
    except ValueError as error:
        reason = str(error)
    assert reason.isprintable()
    return not reason


TAKEN = [
    (host_names.host, "a.b", True),
    (host_names.host, "learn.acme.com", True),
    (host_names.host, "demo.localhost", True),
    (host_names.host, "1.example", True),
    (host_names.host, "a-b--c.example", True),
    (host_names.host, "xn--bcher-kva.example", True),
    (host_names.host, "x" * 63 + ".example", True),
    (host_names.host, ".".join(["abcdefg"] * 31) + ".abcd", True),
    (host_names.host, ".".join(["abcdefg"] * 31) + ".abcdef", False),
    (host_names.host, "localhost", False),
    (host_names.host, "", False),
    (host_names.host, ".", False),
    (host_names.host, "a.b:80", False),
    (host_names.host, "a.1", False),
    (host_names.host, "a.0x", False),
    (host_names.host, "-a.example", False),
    (host_names.host, "a.example\n", False),
    (host_names.host, "a.example}", False),
    (host_names.host, "xn--.example", False),
    (host_names.host, "xn--abc-.example", False),
    (host_names.host, "user@a.example", False),
    (placement.listen_address, "0.0.0.0", True),
    (placement.listen_address, "192.0.2.7", True),
    (placement.listen_address, "0.0.0.1", False),
    (placement.listen_address, "1.2.3", False),
    (placement.listen_address, "127.1", False),
    (placement.listen_address, "0x7f.0.0.1", False),
    (placement.listen_address, "١٢٧.0.0.1", False),
    (placement.listen_address, "127.0.0.1\n", False),
    (placement.docker_host, "", True),
    (placement.docker_host, "unix:///var/run/docker.sock", True),
    (placement.docker_host, "tcp://docker1:2376", True),
    (placement.docker_host, "ssh://docker1", True),
    (placement.docker_host, "ssh://ops@docker1:22", True),
    (placement.docker_host, "ssh://-x@docker1", False),
    (placement.docker_host, "tcp://docker1:0", False),
    (placement.docker_host, "tcp://docker1:2376/x", False),
    (placement.docker_host, "tcp://docker1:2376?x=y", False),
    (placement.docker_host, "npipe:////./pipe/docker_engine", False),
    (placement.docker_host, "unix:///var/run/docker.sock\n", False),
    (placement.docker_host, "TCP://docker1:2376", False),
    (placement.subnet, "10.77.0.0/24", True),
    (placement.subnet, "10.77.0.0/024", False),
    (placement.subnet, "10.77.0.0/99", False),
    (placement.subnet, "10.077.0.0/24", False),
    (placement.subnet, "10.77.0.0 /24", False),
    (placement.subnet, "10.77.0.0/٢٤", False),
    (placement.pool, "10.0.0.0/8", True),
    (placement.pool, "192.168.0.0/24", True),
    (placement.pool, "0.0.0.0/0", False),
    (placement.pool, "203.0.113.0/16", False),
    (drive_paths.root, "/srv/portals", True),
    (drive_paths.root, "/mnt", True),
    (drive_paths.root, "/srv", True),
    (drive_paths.root, "/tmp/x", True),
    (drive_paths.root, "/var/lib/portals", True),
    (drive_paths.root, "/etcetera", True),
    (drive_paths.root, "/home/ops/drive", True),
    (drive_paths.root, "/" + "x" * 199, True),
    (drive_paths.root, "/" + "x" * 200, False),
    (drive_paths.root, "", False),
    (drive_paths.root, "//", False),
    (drive_paths.root, "//srv", False),
    (drive_paths.root, "/tmp", False),
    (drive_paths.root, "/proc/self/root", False),
    (drive_paths.root, "/var/run/docker.sock", False),
    (drive_paths.root, "/srv/a b", False),
    (drive_paths.root, "/srv/'a'", False),
    (drive_paths.root, "/srv/a\\b", False),
    (drive_paths.root, "/srv/..", False),
    (drive_paths.root, "/srv/...", True),
    (checks.email, "a@b.example", True),
    (checks.email, "first.last+tag@sub.example.com", True),
    (checks.email, "O'Hara@Example.COM", True),
    (checks.email, "x" * 64 + "@example.com", True),
    (checks.email, "x" * 65 + "@example.com", False),
    (checks.email, ".a@b.example", False),
    (checks.email, "a.@b.example", False),
    (checks.email, '"a b"@b.example', False),
    (checks.email, "a@[192.0.2.1]", False),
    (checks.email, "a@192.0.2.1", False),
    (checks.email, "a@b@c.example", False),
    (checks.email, "@b.example", False),
    (checks.email, "a@", False),
    (checks.username, "admin", True),
    (checks.username, "a.b+c@d-e_f", True),
    (checks.username, "admin\n", False),
    (checks.username, "ädmin", False),
    (checks.title, "x" * 80, True),
    (checks.title, "A 😀 B", True),
    (checks.title, "x\u00a0y", False),
    (checks.title, "x\x7f", False),
    (checks.title, "\ue000", False),
    (names.tenant, "abc", True),
    (names.tenant, "123", True),
    (names.tenant, "a-1-b", True),
    (names.tenant, "x" * 30, True),
    (names.tenant, "ops", False),
    (names.tenant, "devops", True),
    (names.tenant, "my-opsys", True),
    (names.tenant, "pulumi", False),
    (names.tenant, "acme\n", False),
]


@pytest.mark.parametrize(
    ("check", "text", "good"), TAKEN, ids=[f"{c.__name__}-{t!r:.40}" for c, t, _ in TAKEN]
)
def test_a_check_takes_what_is_good_and_only_that(
    check: Callable[[str], object], text: str, good: bool
) -> None:
    assert taken(check, text) == good


@pytest.mark.parametrize(
    ("text", "mebibytes"),
    [("1MiB", 1), ("512MiB", 512), ("1GiB", 1024), ("64GiB", 65536), ("65536MiB", 65536)],
)
def test_memory_is_in_mebibytes(text: str, mebibytes: int) -> None:
    assert checks.memory(text) == mebibytes


@pytest.mark.parametrize(
    "text", ["", "512", "512MB", "512mib", "0512MiB", "-1MiB", "1.5GiB", "65GiB", "9" * 30 + "GiB", "1MiB\n"]
)
def test_no_memory(text: str) -> None:
    assert not taken(checks.memory, text)
