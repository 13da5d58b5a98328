"""No generated password is anywhere but in the files that are meant for it."""

import json
from collections.abc import Mapping

import pytest

from testbed.checkout import SHOWN
from testbed.trial import Trial

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

# Which file in /run/secrets each container reads.
FILES = {
    "mysql": {"mysql-root-password", "mysql-edxapp-password"},
    "redis": {"redis-password"},
    "mongo": {"mongo-password"},
    "elasticsearch": {"search-password"},
    "rabbitmq": {"rabbitmq-password"},
    "lms": {
        *("cms-sso-secret", "edxapp-secret-key", "forum-api-key"),
        *("mysql-edxapp-password", "mongo-password", "search-password"),
        *("rabbitmq-password", "redis-password"),
    },
    "forum": {"forum-api-key", "mongo-password", "search-password"},
    "mail-sink": {"admin-password"},
}
FILES |= dict.fromkeys(("cms", "lms-workers", "cms-workers"), FILES["lms"])


@pytest.fixture(scope="module")
def passwords(oak: Trial) -> Mapping[str, str]:
    """Every generated password by its name."""
    passwords_by_name = oak.passwords()
    assert len(passwords_by_name) >= 6
    assert all(len(text) >= 32 for text in passwords_by_name.values())
    return passwords_by_name


def passwords_in(passwords: Mapping[str, str], text: str) -> list[str]:
    """Names of the passwords that a text gives away."""
    return [name for name, value in passwords.items() if value in text]


def test_passwords_differ(passwords: Mapping[str, str]) -> None:
    """One that leaks must open one door only."""
    assert len(set(passwords.values())) == len(passwords)


def test_each_container_reads_its_own_passwords_from_files(oak: Trial, passwords: Mapping[str, str]) -> None:
    """The one place where they are wanted; and nobody has another's."""
    for service, inspection in oak.objects.containers(oak.name, jobs=False).items():
        listed = oak.objects.exec_in(
            inspection["Id"], "sh", "-c", "cd /run/secrets 2>/dev/null && ls"
        ).split()
        assert set(listed) == FILES.get(service, set()), service
        for name in listed:
            assert oak.objects.exec_in(inspection["Id"], "cat", f"/run/secrets/{name}") == passwords[name]


def test_inspection_shows_none(oak: Trial, passwords: Mapping[str, str]) -> None:
    """Environment, labels, command lines: whoever may look at containers may look at these."""
    for each in oak.objects.containers(oak.name).values():
        assert passwords_in(passwords, json.dumps(each)) == [], each["Name"]
    for each in (*oak.objects.networks(oak.name), *oak.objects.volumes(oak.name)):
        assert passwords_in(passwords, json.dumps(each)) == [], each["Name"]


def test_logs_show_none(oak: Trial, passwords: Mapping[str, str]) -> None:
    """Logs are shipped, pasted and kept."""
    for service, inspection in oak.objects.containers(oak.name).items():
        text = oak.objects.client.logs(inspection["Id"]).decode(errors="replace")
        assert passwords_in(passwords, text) == [], service


def test_images_hold_none(oak: Trial, passwords: Mapping[str, str]) -> None:
    """An image is the same for every tenant, and travels."""
    for image in {inspection["Image"] for inspection in oak.objects.containers(oak.name).values()}:
        client = oak.objects.client
        assert passwords_in(passwords, json.dumps(client.history(image))) == [], image
        assert passwords_in(passwords, json.dumps(client.inspect_image(image))) == [], image


def test_no_process_has_one_in_its_environment_or_command_line(
    oak: Trial, passwords: Mapping[str, str]
) -> None:
    """Both can be read by every other program of the same user, and land in crash reports."""
    for service, inspection in oak.objects.containers(oak.name, jobs=False).items():
        script = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'"
        text = oak.objects.exec_in(inspection["Id"], "sh", "-c", script)
        assert "PORTAL_MEMORY_MB=" in text, f"{service}: no environment could be read, so nothing is proved"
        assert passwords_in(passwords, text) == [], service


def test_the_state_holds_none_in_plain(oak: Trial, passwords: Mapping[str, str]) -> None:
    """The state lies on a disk or in a bucket, with backups and a history."""
    files = [each for each in oak.checkout.backend.rglob("*") if each.is_file()]
    assert any(each.name == f"{oak.name}.json" for each in files)
    for each in files:
        assert passwords_in(passwords, each.read_text(errors="replace")) == [], each


def test_the_tenants_files_hold_none(oak: Trial, passwords: Mapping[str, str]) -> None:
    """They are committed."""
    for each in (oak.checkout.folder / "tenants").iterdir():
        assert passwords_in(passwords, each.read_text()) == [], each


def test_no_command_has_said_one(oak: Trial, passwords: Mapping[str, str]) -> None:
    """What a command prints ends in a terminal's history or in CI's public log."""
    shown = [each for each in sorted(oak.checkout.logs.iterdir()) if SHOWN not in each.name]
    assert shown
    for each in shown:
        assert passwords_in(passwords, each.read_text(errors="replace")) == [], each
