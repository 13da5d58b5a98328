"""What a portal's admins may override: the checks, and what is in force when, without Ansible."""

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.openedx import settings_files
from config.tenant import Tenant
from tests.programs import TENANTS

HOME = Path(__file__).parents[2] / "images" / "configuration"
OWN = frozenset({"LMS_BASE", "SITE_NAME", "ALTERNATE_WORKER_QUEUES"})


@pytest.fixture(scope="module")
def configuration() -> Iterator[SimpleNamespace]:
    """The package of the image, loaded from its folder."""
    sys.path.insert(0, str(HOME))
    names = ("files", "keeper", "places", "plain", "refusal", "rendering", "variables")
    yield SimpleNamespace(**{name: importlib.import_module(f"configuration.{name}") for name in names})
    sys.path.remove(str(HOME))
    for name in [name for name in sys.modules if name.partition(".")[0] == "configuration"]:
        del sys.modules[name]


def finding(configuration: SimpleNamespace, data: bytes) -> str:
    """The words of the refusal, or nothing."""
    table = configuration.variables.Table.load(HOME / "variables.yml")
    try:
        configuration.variables.check(data, table, OWN)
    except configuration.refusal.Refusal as error:
        return str(error)
    return ""


GOOD = (
    b"",
    b"---\n",
    b"# nothing yet\n",
    b"EDXAPP_PLATFORM_NAME: Acme Academy\n",
    b"\xef\xbb\xbf---\nEDXAPP_PLATFORM_NAME: 'yes'\n",
    b"EDXAPP_FEATURES:\n  ENABLE_MOBILE_REST_API: yes\n  CUSTOM_COURSES_EDX: false\n  LIMIT: 3\n",
    b"EDXAPP_CONTACT_EMAIL: help@acme.com\nEDXAPP_LANGUAGE_CODE: pt-br\nEDXAPP_TIME_ZONE: Europe/Vienna\n",
    b"PORTAL_LOGO_URL: /media/logo.png\nPORTAL_PRIMARY_COLOR: '#aa3300'\n",
    b"PORTAL_FOOTER_NAVIGATION_LINKS:\n- {title: Terms, url: /tos}\n- {title: Help, url: https://help.acme.com}\n",
    b"EDXAPP_LMS_ENV_EXTRA: {MAX_FAILED_LOGIN_ATTEMPTS_ALLOWED: 5, REGISTRATION_NOTE: hello}\n",
    b"EDXAPP_SESSION_COOKIE_AGE: 3600\n",
)


@pytest.mark.parametrize("data", GOOD)
def test_good_files_are_taken(configuration: SimpleNamespace, data: bytes) -> None:
    assert finding(configuration, data) == ""


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
        "line 1, column 18: EDXAPP_FEATURES: has the tag tag:yaml.org,2002:python/object:os.system, expected a plain value",
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
        b"EDXAPP_PLATFORM_NAME: \"{{ lookup('pipe', 'id') }}\"",
        "line 1, column 23: EDXAPP_PLATFORM_NAME: has a template ({{ or {%); templates are not evaluated, write the value",
    ),
    (
        b'EDXAPP_PLATFORM_NAME: "a\\u0007b"',
        "line 1, column 23: EDXAPP_PLATFORM_NAME: has the control character U+0007",
    ),
    (
        b"EDXAPP_PLATFORM_NAMES: a",
        "line 1, column 1: EDXAPP_PLATFORM_NAMES: is not a variable that can be overridden; is EDXAPP_PLATFORM_NAME meant?",
    ),
    (b"colour: red", "line 1, column 1: colour: is not a variable that can be overridden"),
    (
        b"EDXAPP_MYSQL_HOST: mysql.other",
        "line 1, column 1: EDXAPP_MYSQL_HOST: is the operator's alone and cannot be overridden; remove it",
    ),
    (
        b"\nEDXAPP_LMS_BASE: evil.com",
        "line 2, column 1: EDXAPP_LMS_BASE: is the operator's alone and cannot be overridden; remove it",
    ),
    (
        b"PORTAL_PROTECTED_ENV: {}",
        "line 1, column 1: PORTAL_PROTECTED_ENV: is the operator's alone and cannot be overridden; remove it",
    ),
    (
        b"ansible_python_interpreter: /bin/sh",
        "line 1, column 1: ansible_python_interpreter: is the operator's alone and cannot be overridden; remove it",
    ),
    (
        b"EDXAPP_ENV_EXTRA: {LMS_BASE: x}",
        "line 1, column 1: EDXAPP_ENV_EXTRA: LMS_BASE is the operator's alone and cannot be overridden; remove it",
    ),
    (
        b"EDXAPP_ENV_EXTRA: {DATABASES: {}}",
        "line 1, column 1: EDXAPP_ENV_EXTRA: DATABASES is the operator's alone and cannot be overridden; remove it",
    ),
    (
        b"EDXAPP_ENV_EXTRA: {lms_base: x}",
        "line 1, column 1: EDXAPP_ENV_EXTRA: 'lms_base' is no name of a setting, for example 'MAX_FAILED_LOGIN_ATTEMPTS_ALLOWED'",
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
        "line 1, column 1: EDXAPP_FEATURES: is a list, expected a mapping of at most 500 keys",
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
    (b"# " + b"x" * 300_000, "is 292 KiB, expected at most 256"),
    (b"EDXAPP_FEATURES: [" + b"1," * 25_000 + b"]", "line 1, column 40013: has more than 20000 values"),
)


@pytest.mark.parametrize(("data", "told"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_bad_files_are_refused_in_these_words(configuration: SimpleNamespace, data: bytes, told: str) -> None:
    said = finding(configuration, data)
    assert said.startswith(told), said


@settings(deadline=None)
@given(
    st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_whatever_stands_in_the_file_is_taken_or_refused(configuration: SimpleNamespace, data: bytes) -> None:
    finding(configuration, data)


NAMES = st.sampled_from(
    ["DATABASES", "SECRET_KEY", "LMS_BASE", "CELERY_BROKER_PASSWORD", "ALLOWED_HOSTS", "SITE_NAME", "NOTE"]
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["EDXAPP_ENV_EXTRA", "EDXAPP_LMS_ENV_EXTRA", "EDXAPP_FEATURES"]),
        st.dictionaries(NAMES, st.integers(0, 9) | st.text("abc{}%", max_size=5), max_size=3),
        max_size=3,
    )
)
def test_no_accepted_file_names_a_setting_of_the_operator(
    configuration: SimpleNamespace, values: dict[str, Any]
) -> None:
    data = json.dumps(values).encode()
    if finding(configuration, data) == "":
        for name in ("EDXAPP_ENV_EXTRA", "EDXAPP_LMS_ENV_EXTRA"):
            assert set(values.get(name, {})) <= {"NOTE"}


# What is in force


def ansible(places: Any, overrides: Mapping[str, Any], output: Path) -> None:
    """The merge as the role makes it, for one setting: stands in for Ansible, which the image has."""
    if overrides.get("EDXAPP_PLATFORM_DESCRIPTION") == "no memory":
        raise sys.modules["configuration.rendering"].AnsibleError("Ansible ended with 250: killed")
    said = json.loads((places.given / "protected.yml").read_text())
    for variant in ("lms", "cms"):
        name = overrides.get("EDXAPP_PLATFORM_NAME", "of the tenant")
        env = {"PLATFORM_NAME": name, **said["PORTAL_PROTECTED_ENV"][variant]}
        (output / f"{variant}.env.json").write_text(json.dumps(env))
        (output / f"{variant}.auth.json").write_text(json.dumps(said["PORTAL_PROTECTED_AUTH"][variant]))


@pytest.fixture
def places(configuration: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = configuration.places.Places(
        home=HOME,
        **{name: tmp_path / name for name in ("given", "secrets", "overrides", "rendered", "settings")},
    )
    for name in ("given", "secrets", "overrides", "rendered", "settings"):
        (tmp_path / name).mkdir()
    for path, text in settings_files(Tenant.load("acme", TENANTS)).items():
        (made.given / Path(path).name).write_text(text)
    for secret in ("edxapp-secret-key", "mysql-edxapp-password"):
        (made.secrets / secret).write_text(f"generated-{secret}")
    monkeypatch.setattr(configuration.rendering, "run_ansible", ansible)
    return made


def name_in(folder: Path) -> str:
    return str(json.loads((folder / "lms.env.json").read_text())["PLATFORM_NAME"])


def test_a_bad_file_leaves_the_last_good_one_in_force(configuration: SimpleNamespace, places: Any) -> None:
    keeper = configuration.keeper.Keeper(places)
    assert keeper.settle().version.number == 0
    places.file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    first = keeper.settle()
    places.file.write_text("\nEDXAPP_MYSQL_HOST: elsewhere\n")
    found = keeper.settle()
    assert (found.version, name_in(found.folder)) == (first.version, "First")
    status = json.loads(keeper.status.read_text())
    assert status["in_force"]["number"] == 1
    assert status["refused"]["line"] == 2
    assert status["refused"]["key"] == "EDXAPP_MYSQL_HOST"
    # A container that starts now, with nothing in memory, comes to the same.
    again = configuration.keeper.Keeper(places).settle()
    assert (again.version, again.folder) == (found.version, found.folder)
    assert "EDXAPP_MYSQL_HOST" in again.refused


def test_a_file_that_is_gone_means_no_overrides(configuration: SimpleNamespace, places: Any) -> None:
    keeper = configuration.keeper.Keeper(places)
    places.file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper.settle()
    places.file.unlink()
    found = keeper.settle()
    assert (found.version.number, name_in(found.folder)) == (2, "of the tenant")


def test_fifty_versions_are_kept_and_can_be_restored(configuration: SimpleNamespace, places: Any) -> None:
    keeper = configuration.keeper.Keeper(places)
    for number in range(1, 61):
        places.file.write_text(f"EDXAPP_PLATFORM_NAME: Number {number}\n")
        keeper.settle()
    assert keeper.versions() == list(range(60, 10, -1))
    keeper.restore(12)
    assert name_in(keeper.settle().folder) == "Number 12"
    assert keeper.versions()[0] == 61
    with pytest.raises(configuration.refusal.Refusal, match=r"version 3 is not kept; kept are: 61, 60"):
        keeper.restore(3)
    assert len(list(places.rendered.iterdir())) <= configuration.rendering.KEPT + 1


def test_what_does_not_start_is_not_taken_again(configuration: SimpleNamespace, places: Any) -> None:
    keeper = configuration.keeper.Keeper(places)
    places.file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper.settle()
    places.file.write_text("EDXAPP_PLATFORM_NAME: Second\n")
    other = configuration.keeper.Keeper(places)
    found = other.settle()
    seen = other.seen()
    keeper.reject(found.version, "lms does not start with it (exit code 1)")
    assert name_in(keeper.settle().folder) == "First"
    assert other.seen() != seen, "the other containers look again"
    assert "does not start" in other.settle().refused


def test_ansible_out_of_memory_is_tried_again(configuration: SimpleNamespace, places: Any) -> None:
    keeper = configuration.keeper.Keeper(places)
    places.file.write_text("EDXAPP_PLATFORM_DESCRIPTION: no memory\n")
    found = keeper.settle()
    assert (found.version.number, found.unsure) == (0, True)
    assert "Ansible ended with 250" in found.refused
    assert keeper.settle().unsure


def test_a_broken_report_is_made_anew(configuration: SimpleNamespace, places: Any) -> None:
    keeper = configuration.keeper.Keeper(places)
    places.file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper.settle()
    keeper.status.write_text('{"in_force": 3')
    places.file.write_text("nonsense")
    assert name_in(keeper.settle().folder) == "First"


def test_passwords_are_filled_in_for_this_container_alone(
    configuration: SimpleNamespace, places: Any
) -> None:
    found = configuration.keeper.Keeper(places).settle()
    assert configuration.rendering.take(places, found.folder)
    told = json.loads((places.settings / "lms.auth.json").read_text())
    assert told["DATABASES"]["default"]["PASSWORD"] == "generated-mysql-edxapp-password"
    assert told["SECRET_KEY"] == "generated-edxapp-secret-key"
    assert "COMMENTS_SERVICE_KEY" not in told, "a container without the secret has no such setting"
    assert (places.settings / "lms.auth.json").stat().st_mode & 0o777 == 0o640
    on_drive = [path for folder in (places.rendered, places.overrides) for path in folder.rglob("*.*")]
    assert on_drive
    assert not [path for path in on_drive if "generated-" in path.read_text()]
    assert configuration.rendering.take(places, found.folder) == {}, "the second time nothing is written"
