"""What a portal's admins may override: the checks, and what is in force when, without Ansible."""

import importlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.portal.openedx import settings_files
from config.tenant.tenant import Tenant
from tests import standalone
from tests.programs import TENANTS

quick = settings(max_examples=50, deadline=None)
HOME = Path(__file__).parents[4] / "images" / "configuration"


@pytest.fixture(scope="module")
def configuration() -> Iterator[SimpleNamespace]:
    """The package of the image, loaded from its folder."""
    with standalone.configurator() as modules:
        yield modules


def finding(configuration: SimpleNamespace, data: bytes) -> str:
    """The words of the refusal, or nothing."""
    table = configuration.variables.Table.load(HOME / "variables.yml")
    try:
        configuration.variables.check(data, table)
    except configuration.refusal.Refusal as error:
        return str(error)
    return ""


GOOD = (
    b"",
    b"---\n",
    b"# nothing yet\n",
    b"EDXAPP_PLATFORM_NAME: Acme Academy\n",
    b"\xef\xbb\xbf---\nEDXAPP_PLATFORM_NAME: 'yes'\n",
    b"EDXAPP_FEATURES:\n  ENABLE_TEAMS: yes\n  LICENSING: false\n  SHOW_BUMPER_PERIODICITY: 3600\n",
    b"EDXAPP_CONTACT_EMAIL: help@acme.com\nEDXAPP_LANGUAGE_CODE: pt-br\nEDXAPP_TIME_ZONE: Europe/Vienna\n",
    b"PORTAL_LOGO_URL: /media/logo.png\nPORTAL_PRIMARY_COLOR: '#aa3300'\n",
    b"PORTAL_FOOTER_NAVIGATION_LINKS:\n- {title: Terms, url: /tos}\n- {title: Help, url: https://help.acme.com}\n",
    b"EDXAPP_LMS_ENV_EXTRA: {MAX_FAILED_LOGIN_ATTEMPTS_ALLOWED: 5, STUDIO_NAME: hello}\n",
    b"EDXAPP_ENV_EXTRA: {COUNTRIES_FIRST: [AT, DE], DEFAULT_COURSE_VISIBILITY_IN_CATALOG: about}\n",
    b"EDXAPP_REGISTRATION_EXTRA_FIELDS: {city: required, goals: hidden}\n",
    b"EDXAPP_SOCIAL_MEDIA_FOOTER_URLS: {facebook: 'https://facebook.com/acme'}\n",
    b"EDXAPP_MKTG_URLS: {ROOT: 'https://acme.com', ABOUT: /about}\n",
    b"PORTAL_LEARNER_SUPPORT_CONFIG: {hours: 9 to 5, chat: true}\n",
    b"EDXAPP_SESSION_COOKIE_AGE: 3600\n",
    b"EDXAPP_PLATFORM_DESCRIPTION: |\n  Two\n  lines\n",
    # A template is a text like any other: nothing evaluates it.
    b"EDXAPP_PLATFORM_NAME: \"{{ lookup('pipe', 'id') }}\"",
    # As json.dump, PHP's json_encode and others write it.
    b'{"EDXAPP_PLATFORM_NAME": "Akademie \\ud83c\\udf93", "PORTAL_LOGO_URL": "\\/media\\/logo.png"}',
    b'\xef\xbb\xbf {\n\t"EDXAPP_PLATFORM_NAME":\t"a",\r\n\t"EDXAPP_SESSION_COOKIE_AGE": 3600}\n',
)


@pytest.mark.parametrize("data", GOOD)
def test_good_files_are_taken(configuration: SimpleNamespace, data: bytes) -> None:
    assert finding(configuration, data) == ""


REVIEWED = "the operator may set it in the tenant's file, under"
BAD = (
    (b"\xff\xfe", "line 1, column 1: is not UTF-8 text"),
    (b"a: b: c", "line 1, column 5: is not YAML: mapping values are not allowed in this context"),
    (b"EDXAPP_PLATFORM_NAME: 'x\n", "line 2, column 1: is not YAML: found unexpected end of stream"),
    (
        b"- EDXAPP_PLATFORM_NAME",
        "line 1, column 1: is a list, expected keys with values, for example 'EDXAPP_PLATFORM_NAME: Acme Academy'",
    ),
    (b"a: 1\n---\nb: 2", "line 2, column 1: begins a second document, expected one"),
    (
        b"EDXAPP_FEATURES: &a {x: 1}\nEDXAPP_MKTG_URLS: *a",
        "line 1, column 18: EDXAPP_FEATURES: uses an anchor (& or *); write the value out where it is wanted",
    ),
    (
        b"EDXAPP_FEATURES: !!python/object:os.system {}",
        "line 1, column 18: EDXAPP_FEATURES: has the tag 'tag:yaml.org,2002:python/object:os.system', expected a plain value",
    ),
    (
        b"EDXAPP_PLATFORM_NAME: !unsafe x",
        "line 1, column 23: EDXAPP_PLATFORM_NAME: has the tag '!unsafe', expected a plain value",
    ),
    (
        b"EDXAPP_FEATURES:\n  <<: {a: 1}",
        "line 2, column 3: EDXAPP_FEATURES: merges with '<<'; write the keys out",
    ),
    (
        b"EDXAPP_PLATFORM_NAME: a\nEDXAPP_PLATFORM_NAME: b",
        "line 2, column 1: EDXAPP_PLATFORM_NAME: stands twice",
    ),
    (
        b'{"EDXAPP_PLATFORM_NAME": "a",\n "EDXAPP_PLATFORM_NAME": "b"}',
        "line 2, column 2: EDXAPP_PLATFORM_NAME: stands twice",
    ),
    (
        b'EDXAPP_PLATFORM_NAME: "a\\u0007b"',
        "line 1, column 23: EDXAPP_PLATFORM_NAME: has the control character U+0007",
    ),
    (
        b'{"EDXAPP_PLATFORM_NAME": "half \\ud83c"}',
        "line 1, column 26: EDXAPP_PLATFORM_NAME: has the control character U+D83C",
    ),
    (
        "EDXAPP_PLATFORM_NAME: 'a\u2028b'".encode(),
        "line 1, column 25: has the line separator U+2028; in double quotes write it as \\u2028",
    ),
    (
        b'{"EDXAPP_SESSION_COOKIE_AGE": NaN}',
        "line 1, column 31: EDXAPP_SESSION_COOKIE_AGE: is no number; a text stands in quotes",
    ),
    (
        b'{"EDXAPP_SESSION_COOKIE_AGE": 1e400}',
        "line 1, column 31: EDXAPP_SESSION_COOKIE_AGE: is too large a number; a text stands in quotes",
    ),
    (
        b"EDXAPP_PLATFORM_NAMES: a",
        "line 1, column 1: EDXAPP_PLATFORM_NAMES: is not a variable that can be overridden; is EDXAPP_PLATFORM_NAME meant?",
    ),
    (
        b"colour: red",
        f"line 1, column 1: colour: is not a variable that can be overridden; {REVIEWED} settings, where it is reviewed",
    ),
    (
        b"EDXAPP_MYSQL_HOST: mysql.other",
        "line 1, column 1: EDXAPP_MYSQL_HOST: is set by the operator only and cannot be overridden; remove it",
    ),
    (
        b"\nEDXAPP_LMS_BASE: evil.com",
        "line 2, column 1: EDXAPP_LMS_BASE: is set by the operator only and cannot be overridden; remove it",
    ),
    (
        b"ansible_python_interpreter: /bin/sh",
        "line 1, column 1: ansible_python_interpreter: is set by the operator only and cannot be overridden; remove it",
    ),
    (
        b"EDXAPP_ENV_EXTRA:\n  LMS_BASE: x",
        f"line 2, column 3: EDXAPP_ENV_EXTRA.LMS_BASE: is not a setting that a portal's admin may set; {REVIEWED} settings",
    ),
    (
        b"EDXAPP_ENV_EXTRA: {STUDIO_NAMES: x}",
        "line 1, column 20: EDXAPP_ENV_EXTRA.STUDIO_NAMES: is not a setting that a portal's admin may set; is STUDIO_NAME meant?",
    ),
    (
        b"EDXAPP_FEATURES: {ENABLE_MOBILE_REST_API: true}",
        f"line 1, column 19: EDXAPP_FEATURES.ENABLE_MOBILE_REST_API: is not a feature that a portal's admin may set; {REVIEWED} features, where it is reviewed",
    ),
    (
        b"EDXAPP_FEATURES:\n  ENABLE_TEAMS: true\n  LICENSING: 'False'",
        "line 3, column 3: EDXAPP_FEATURES.LICENSING: is 'False', expected false without quotes (Open edX reads every text as true)",
    ),
    (
        b"EDXAPP_FEATURES: {LICENSING: 0}",
        "line 1, column 19: EDXAPP_FEATURES.LICENSING: is 0, expected true or false, without quotes",
    ),
    (
        b"EDXAPP_SOCIAL_MEDIA_FOOTER_URLS: {friendster: 'https://x.com'}",
        "line 1, column 35: EDXAPP_SOCIAL_MEDIA_FOOTER_URLS.friendster: is not known; known here: facebook, ",
    ),
    (
        b"EDXAPP_REGISTRATION_EXTRA_FIELDS: {city: yes}",
        "line 1, column 36: EDXAPP_REGISTRATION_EXTRA_FIELDS.city: is true, expected one of required, optional, ",
    ),
    (
        b'EDXAPP_PLATFORM_NAME: "Acme\\nBcc: all@acme.com"',
        "line 1, column 1: EDXAPP_PLATFORM_NAME: is 'Acme\\nBcc: all@acme.com', expected a text of one line",
    ),
    (
        b"EDXAPP_PLATFORM_NAME: 2024",
        "line 1, column 1: EDXAPP_PLATFORM_NAME: is 2024, expected a text of 1 to 100 characters (a number or truth value stands in quotes)",
    ),
    (
        b"EDXAPP_PLATFORM_NAME:",
        "line 1, column 1: EDXAPP_PLATFORM_NAME: is empty, expected a text of 1 to 100 characters (a number or truth value stands in quotes)",
    ),
    (
        b"EDXAPP_FEATURES: [a]",
        "line 1, column 1: EDXAPP_FEATURES: is a list, expected keys with values, for example 'ALLOW_COURSE_RERUNS: true'",
    ),
    (
        b"EDXAPP_CONTACT_EMAIL: nobody",
        "line 1, column 1: EDXAPP_CONTACT_EMAIL: is 'nobody', expected an e-mail address, for example 'help@acme.com'",
    ),
    (
        b"PORTAL_PRIMARY_COLOR: red",
        "line 1, column 1: PORTAL_PRIMARY_COLOR: is 'red', expected a colour, for example '#1d4f91'",
    ),
    (
        b"PORTAL_LOGO_URL: http://x.com/a.png",
        "line 1, column 1: PORTAL_LOGO_URL: is 'http://x.com/a.png', expected a path below /static/ or /media/ or an https address, for example '/media/logo.png'",
    ),
    (
        b"PORTAL_LOGO_URL: /media/../../etc/passwd",
        "line 1, column 1: PORTAL_LOGO_URL: is '/media/../../etc/passwd', expected a path below /static/ or /media/ or an https address, for example '/media/logo.png'",
    ),
    (
        b"PORTAL_HEADER_NAVIGATION_LINKS: [{title: x, url: 'javascript:alert(1)'}]",
        "line 1, column 1: PORTAL_HEADER_NAVIGATION_LINKS: is a list, expected a list of at most 20 links, each as '{title: Help, url: https://help.acme.com}'",
    ),
    (
        b"EDXAPP_SESSION_COOKIE_AGE: 1",
        "line 1, column 1: EDXAPP_SESSION_COOKIE_AGE: is 1, expected a whole number, 300 to 31536000",
    ),
    (
        b"EDXAPP_SESSION_COOKIE_AGE: 99999999999999999999",
        "line 1, column 28: EDXAPP_SESSION_COOKIE_AGE: is too long a number; a text stands in quotes",
    ),
    (
        b"EDXAPP_FEATURES: {? [a]: b}",
        "line 1, column 21: EDXAPP_FEATURES: has a key that is no text",
    ),
    (b"EDXAPP_FEATURES: " + b"[" * 40 + b"]" * 40, "line 1, column 30: EDXAPP_FEATURES"),
    (b'{"EDXAPP_FEATURES": ' + b"[" * 40 + b"]" * 40 + b"}", "line 1, column 33: EDXAPP_FEATURES"),
    (b"# " + b"x" * 300_000, "is more than 256 KiB, expected at most that"),
    (b"EDXAPP_FEATURES: [" + b"1," * 25_000 + b"]", "line 1, column 40013: has more than 20000 values"),
)


@pytest.mark.parametrize(("data", "expected"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_bad_files_are_refused_in_these_words(
    configuration: SimpleNamespace, data: bytes, expected: str
) -> None:
    why = finding(configuration, data)
    assert why.startswith(expected), why
    assert why.isprintable()


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        (None, 66, "does not exist, expected a file"),
        ("EDXAPP_PLATFORM_NAME: Acme\n", 0, "accepted"),
        ("EDXAPP_NAME: Acme\n", 65, "is not a variable that can be overridden"),
    ],
)
def test_a_check_says_whether_a_file_would_be_accepted(
    configuration: SimpleNamespace,
    paths: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    code: int,
    expected: str,
) -> None:
    entry = importlib.import_module("configurator.__main__")
    monkeypatch.setattr(entry, "Paths", lambda: paths)
    if text is not None:
        paths.overrides_file.write_text(text)
    assert entry.main(["check", str(paths.overrides_file)]) == code
    assert expected in "".join(capsys.readouterr())


@quick
@given(
    st.binary(max_size=400)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text('{}[]",:\\0u\n ', max_size=40).map(str.encode)
)
def test_whatever_stands_in_the_file_is_taken_or_refused(configuration: SimpleNamespace, data: bytes) -> None:
    why = finding(configuration, data)
    assert why.isprintable()


# What a person may name a portal, in any script; no control characters and no halves of a pair.
TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1)
WRITERS = {
    "json.dump": lambda content: json.dumps(content).encode(),
    "json.dump, as it is": lambda content: json.dumps(content, ensure_ascii=False, indent=2).encode(),
    "yaml.dump": lambda content: yaml.safe_dump(content).encode(),
    "yaml.dump, as it is": lambda content: yaml.safe_dump(content, allow_unicode=True, width=10_000).encode(),
}


@pytest.mark.parametrize("writer", WRITERS)
@quick
@given(TEXT.filter(lambda text: len(text) <= 500))
@example("Akademie \U0001f393")
@example("أكاديمية \u200f\u202e 'x' \"y\" \\ # % $ {{ }} &a *b !c |")
@example("a\u2028b\u2029c\u0301\ufeff")
@example("off")
@example("1e3")
@example("12:30")
@example("2024-01-31")
@example("0o17")
@example("NaN")
@example("=")
@example("<<")
@example(" leading and trailing ")
def test_a_text_is_read_as_it_was_written(configuration: SimpleNamespace, writer: str, text: str) -> None:
    variables = {
        "EDXAPP_PLATFORM_DESCRIPTION": text,
        "PORTAL_HEADER_NAVIGATION_LINKS": [{"title": "x" + text[:90], "url": "/"}],
    }
    assert configuration.plain_yaml.parse(WRITERS[writer](variables)).values == variables


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**16), 10**16)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(lambda key: key != "<<"), inner, max_size=3)
    ),
    max_leaves=8,
)


@quick
@given(st.dictionaries(TEXT.filter(lambda key: key != "<<"), PLAIN, max_size=4))
def test_what_json_dump_writes_is_what_is_read(
    configuration: SimpleNamespace, mapping: dict[str, Any]
) -> None:
    assert configuration.plain_yaml.parse(json.dumps(mapping).encode()).values == mapping


# What is in force


def role(paths: Any, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings as the role makes them, for one of them: stands in for Ansible, which the image has."""
    if values.get("EDXAPP_PLATFORM_DESCRIPTION") == "no memory":
        raise sys.modules["configurator.ansible"].AnsibleError("Ansible ended with 250: killed")
    env = {"PLATFORM_NAME": values["EDXAPP_PLATFORM_NAME"], "FEATURES": values["EDXAPP_FEATURES"]}
    return dict.fromkeys(("lms", "cms"), env)


@pytest.fixture
def paths(configuration: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = configuration.paths.Paths(
        home=HOME,
        **{name: tmp_path / name for name in ("layers", "secrets", "overrides", "rendered", "settings")},
    )
    for name in ("layers", "secrets", "overrides", "rendered", "settings"):
        (tmp_path / name).mkdir()
    for path, text in settings_files(Tenant.load("acme", TENANTS)).items():
        (made.layers / Path(path).name).write_text(text)
    for secret in ("edxapp-secret-key", "mysql-edxapp-password"):
        (made.secrets / secret).write_text(f"generated-{secret}")
    monkeypatch.setattr(configuration.ansible, "render_settings", role)
    return made


def name_in(folder: Path) -> str:
    return str(json.loads((folder / "lms.json").read_text())["PLATFORM_NAME"])


def status(paths: Any) -> dict[str, Any]:
    """What people read of the judgement."""
    status: dict[str, Any] = json.loads((paths.overrides / "status.json").read_text())
    return status


TITLE = "Acme Academy"


def test_a_bad_file_leaves_the_last_good_one_in_force(configuration: SimpleNamespace, paths: Any) -> None:
    keeper = configuration.overrides.Overrides(paths)
    assert keeper.update().version.number == 0
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    first = keeper.update()
    paths.overrides_file.write_text("\nEDXAPP_MYSQL_HOST: elsewhere\n")
    outcome = keeper.update()
    assert (outcome.version, name_in(outcome.folder)) == (first.version, "First")
    assert status(paths)["accepted"]["number"] == 1
    assert status(paths)["in_force"] is None, "no service has said that it is ready"
    assert status(paths)["refused"]["line"] == 2
    assert status(paths)["refused"]["key"] == "EDXAPP_MYSQL_HOST"
    # A container that starts now, with nothing in memory, comes to the same.
    again = configuration.overrides.Overrides(paths).update()
    assert (again.version, again.folder) == (outcome.version, outcome.folder)
    assert "EDXAPP_MYSQL_HOST" in again.refused


def test_a_file_that_is_gone_means_no_overrides(configuration: SimpleNamespace, paths: Any) -> None:
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper.update()
    paths.overrides_file.unlink()
    outcome = keeper.update()
    assert (outcome.version.number, name_in(outcome.folder)) == (2, TITLE)


def test_fifty_versions_are_kept_and_can_be_restored(configuration: SimpleNamespace, paths: Any) -> None:
    keeper = configuration.overrides.Overrides(paths)
    for number in range(1, 61):
        paths.overrides_file.write_text(f"EDXAPP_PLATFORM_NAME: Number {number}\n")
        keeper.update()
    assert keeper.versions() == list(range(60, 10, -1))
    assert len(list((paths.overrides / "history").iterdir())) == 50
    keeper.restore(12)
    assert name_in(keeper.update().folder) == "Number 12"
    assert keeper.versions()[0] == 61
    with pytest.raises(configuration.refusal.Refusal, match=r"version 3 is not kept; kept are: 61, 60"):
        keeper.restore(3)
    rendered = [each for each in paths.rendered.iterdir() if len(each.name) == 24]
    assert len(rendered) <= configuration.rendering.KEPT_FOLDERS


def test_what_does_not_start_is_not_taken_again_until_it_is_written_anew(
    configuration: SimpleNamespace, paths: Any
) -> None:
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper.update()
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: Second\n")
    other = configuration.overrides.Overrides(paths)
    outcome = other.update()
    mark = other.change_mark()
    keeper.reject(outcome.version, "lms does not start with it (exit code 78)")
    assert name_in(keeper.update().folder) == "First"
    assert other.change_mark() != mark, "the other containers look again"
    assert "does not start" in other.update().refused
    assert name_in(configuration.overrides.Overrides(paths).update().folder) == "First"
    os.utime(paths.overrides_file, ns=(1, 1))
    again = keeper.update()
    assert (again.version.number, name_in(again.folder), again.refused) == (3, "Second", "")
    # What is in force by then outlives a bad file.
    paths.overrides_file.write_text("nonsense")
    assert name_in(keeper.update().folder) == "Second"


def test_what_ansible_could_not_do_is_tried_again_later_and_not_for_ever(
    configuration: SimpleNamespace, paths: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = configuration.overrides.Overrides(paths)
    now = [1000.0]
    monkeypatch.setattr(configuration.overrides.time, "time", lambda: now[0])
    runs: list[object] = []

    def settings(*values: Any) -> dict[str, dict[str, Any]]:
        runs.append(values)
        return role(*values)

    monkeypatch.setattr(configuration.ansible, "render_settings", settings)
    keeper.update()
    paths.overrides_file.write_text("EDXAPP_PLATFORM_DESCRIPTION: no memory\n")
    outcome = keeper.update()
    assert (outcome.version.number, outcome.retry_seconds) == (0, 60.0)
    assert "Ansible ended with 250" in outcome.refused
    count = len(runs)
    assert configuration.overrides.Overrides(paths).update().retry_seconds == 60.0
    assert len(runs) == count, "not before its time, in no container"
    waits = []
    while (wait := keeper.update().retry_seconds) is not None:
        waits.append(wait)
        now[0] += wait
    assert waits == [60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0]
    assert status(paths)["waiting"] == {
        "tries": 8,
        "next": None,
        "reason": "Ansible ended with 250: killed",
    }
    # Written anew it is tried once more: whoever writes the same text each minute has not eight tries each minute.
    count = len(runs)
    os.utime(paths.overrides_file, ns=(1, 1))
    assert (keeper.update().retry_seconds, keeper.update().retry_seconds) == (None, None)
    assert len(runs) == count + 1
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: Another\n")
    assert name_in(keeper.update().folder) == "Another"


def test_what_is_in_force_is_not_left_for_an_older_one_when_ansible_fails(
    configuration: SimpleNamespace, paths: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = configuration.overrides.Overrides(paths)
    for name in ("First", "Second"):
        paths.overrides_file.write_text(f"EDXAPP_PLATFORM_NAME: {name}\n")
        keeper.update()
    # The operator's settings are others, so all is to be made anew.
    (paths.layers / "release.json").write_text('{"EDXAPP_FEATURES": {"ENABLE_TEAMS": true}}')

    def fails(*_: object) -> None:
        raise configuration.ansible.AnsibleError("waited 120 s for Ansible to end")

    monkeypatch.setattr(configuration.ansible, "render_settings", fails)
    with pytest.raises(configuration.ansible.AnsibleError, match="waited 120 s"):
        keeper.update()
    monkeypatch.setattr(configuration.ansible, "render_settings", role)
    assert name_in(keeper.update().folder) == "Second"


def test_ansible_that_does_not_end_is_ended_with_its_children(
    configuration: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "venv/bin/ansible-playbook"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\nsleep 600 & echo $! >{tmp_path}/child; wait\n")
    command.chmod(0o755)
    monkeypatch.setattr(configuration.ansible, "LIMIT_SECONDS", 0.5)
    with pytest.raises(configuration.ansible.AnsibleError, match="waited 0 s for Ansible to end"):
        configuration.ansible.run_playbook(configuration.paths.Paths(home=tmp_path), {}, tmp_path)
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_a_broken_record_is_made_anew(configuration: SimpleNamespace, paths: Any) -> None:
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    folder = keeper.update().folder
    (paths.rendered / "records/state.json").write_text('{"in_force": 3')
    (folder / "cms.json").write_text('{"PLATFORM_NA')
    paths.overrides_file.write_text("nonsense")
    outcome = keeper.update()
    assert name_in(outcome.folder) == "First"
    assert json.loads((outcome.folder / "cms.json").read_text())["PLATFORM_NAME"] == "First"


def test_a_drive_that_takes_no_more_leaves_in_force_what_is(
    configuration: SimpleNamespace, paths: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    configuration.overrides.Overrides(paths).update()
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: Second\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(configuration.files, "write", full)
    monkeypatch.setattr(configuration.files, "write_below", full)
    started = configuration.overrides.Overrides(paths).update_at_start()
    assert (name_in(started.folder), started.retry_seconds) == ("First", 60.0)
    assert "No space left" in started.refused


def test_a_portal_of_before_keeps_what_was_in_force(configuration: SimpleNamespace, paths: Any) -> None:
    """Its versions lay beside the overrides; what is not what its name says is not taken over."""
    folder = paths.overrides / "history"
    folder.mkdir()
    for number, text in ((6, "EDXAPP_PLATFORM_NAME: Sixth\n"), (7, "EDXAPP_PLATFORM_NAME: Seventh\n")):
        sha = configuration.records.sha256_of(text.encode())
        (folder / f"{number:06d}-{sha[:12]}.yml").write_text(text)
    (folder / f"000009-{'0' * 12}.yml").write_text("EDXAPP_PLATFORM_NAME: Forged\n")
    paths.overrides_file.write_text("nonsense")
    keeper = configuration.overrides.Overrides(paths)
    outcome = keeper.update()
    assert (outcome.version.number, name_in(outcome.folder)) == (7, "Seventh")
    assert keeper.versions() == [7, 6]


def test_a_judgement_of_before_is_read_by_its_old_name(configuration: SimpleNamespace, paths: Any) -> None:
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    version = keeper.update().version
    path = paths.rendered / "records/state.json"
    judgement = json.loads(path.read_text())
    path.write_text(json.dumps({**judgement, "in_force": judgement.pop("accepted")}))
    assert keeper.records.read_state().accepted == version


def test_in_force_is_what_every_service_of_pages_was_ready_with(
    configuration: SimpleNamespace, paths: Any
) -> None:
    keeper = configuration.overrides.Overrides(paths)
    first = keeper.update().version
    for service in ("lms", "cms", "lms-workers"):
        keeper.records.save_ready_version(service, first)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    second = keeper.update().version
    for service, number in (("lms-workers", 0), ("lms", 0), ("cms", 1)):
        keeper.records.save_ready_version(service, second)
        keeper.publish_state()
        assert (status(paths)["accepted"]["number"], status(paths)["in_force"]["number"]) == (1, number)


def test_failures_count_in_a_row_with_one_content_and_the_same_rules(
    configuration: SimpleNamespace, paths: Any
) -> None:
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    version = keeper.update().version
    assert [keeper.count_failure("lms", version) for _ in range(2)] == [1, 2]
    assert keeper.count_failure("cms", version) == 1
    # Ready in between: what fails a year later is the first of its row.
    keeper.records.save_ready_version("lms", version)
    assert [keeper.count_failure("lms", version) for _ in range(2)] == [1, 2]
    (paths.layers / "release.json").write_text('{"EDXAPP_FEATURES": {"ENABLE_TEAMS": true}}')
    assert keeper.count_failure("lms", version) == 1
    assert keeper.count_failure("lms", configuration.overrides.NONE) == 1


def test_passwords_are_filled_in_for_this_container_alone(configuration: SimpleNamespace, paths: Any) -> None:
    outcome = configuration.overrides.Overrides(paths).update()
    assert configuration.rendering.install_settings(paths, outcome.folder)
    auth = json.loads((paths.settings / "lms.auth.json").read_text())
    assert auth["DATABASES"]["default"]["PASSWORD"] == "generated-mysql-edxapp-password"
    assert auth["SECRET_KEY"] == "generated-edxapp-secret-key"
    assert "COMMENTS_SERVICE_KEY" not in auth, "a container without the secret has no such setting"
    assert (paths.settings / "lms.auth.json").stat().st_mode & 0o777 == 0o640
    on_drive = [path for folder in (paths.rendered, paths.overrides) for path in folder.rglob("*.*")]
    assert on_drive
    assert not [path for path in on_drive if path.is_file() and "generated-" in path.read_text()]
    assert configuration.rendering.install_settings(paths, outcome.folder) == {}, (
        "the second time nothing is written"
    )


# The role


def test_a_template_of_the_role_only_puts_a_variable_somewhere() -> None:
    """It sees stand-ins: a filter or a test would be of them, not of the value."""
    for file in ("defaults", "vars"):
        text = (HOME / "roles/openedx" / file / "main.yml").read_text()
        for template in re.findall(r"{[{%#].*", text):
            assert re.fullmatch(r'({{ \w+ }}[^{}]*)+"', template), template


def test_the_role_and_the_table_know_the_same_variables(configuration: SimpleNamespace) -> None:
    table = configuration.variables.Table.load(HOME / "variables.yml")
    known = configuration.ansible.role_variables(configuration.paths.Paths(home=HOME))
    assert set(table.variables) == known | configuration.layers.SETTINGS


VALUES = st.dictionaries(st.text("ABC", min_size=1, max_size=3), PLAIN, max_size=4)


@quick
@given(VALUES, VALUES)
def test_what_is_hidden_is_shown_again_letter_by_letter(
    configuration: SimpleNamespace, values: dict[str, Any], under: dict[str, Any]
) -> None:
    placeholders = configuration.placeholders
    hidden, kept = placeholders.hide_values(values)
    made = configuration.layers.merged(
        {key: each for key, each in under.items() if key not in values}, hidden
    )
    shown = placeholders.restore_values(json.loads(json.dumps({"mapping": made, "list": [hidden]})), kept)
    assert shown["list"] == [values]
    assert {key: shown["mapping"][key] for key in values} == values


@pytest.mark.parametrize(
    "made",
    ["\ue0009\ue001", "\ue0000", "x\ue001", {"a\ue0000\ue001": 1}, {"\ue0001\ue001": ""}, "a \ue0001\ue001"],
)
def test_half_a_placeholder_and_a_strange_one_are_refused(configuration: SimpleNamespace, made: Any) -> None:
    with pytest.raises(ValueError, match=r"placeholder|no text"):
        configuration.placeholders.restore_values(made, ["text", 7])


def test_a_text_in_the_midst_of_another_is_put_there(configuration: SimpleNamespace) -> None:
    assert (
        configuration.placeholders.restore_values("a \ue0000\ue001 b", ["\ue0001\ue001 {{ x }}"])
        == "a \ue0001\ue001 {{ x }} b"
    )


@pytest.mark.parametrize(
    ("code", "tries", "cause", "final", "delay"),
    [
        (78, 1, "WRONG_SETTINGS", True, 60.0),
        (1, 1, "UNKNOWN", False, 60.0),
        (3, 2, "UNKNOWN", False, 120.0),
        (22, 3, "UNKNOWN", True, 240.0),
        (137, 3, "TEMPORARY", False, 240.0),
        (143, 8, "TEMPORARY", False, None),
        (None, 1, "TEMPORARY", False, 60.0),
        (75, 7, "TEMPORARY", False, 3600.0),
    ],
)
def test_the_cause_of_a_failed_start_follows_from_its_exit_code(
    configuration: SimpleNamespace,
    code: int | None,
    tries: int,
    cause: str,
    final: bool,
    delay: float | None,
) -> None:
    failures = configuration.start_failures
    reported = failures.cause_of(code)
    assert (reported.name, failures.is_final(reported, tries), failures.retry_delay(tries)) == (
        cause,
        final,
        delay,
    )
