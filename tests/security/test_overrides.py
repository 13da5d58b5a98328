"""What a portal's admin may try who can write to overrides/, and nobody else: no command, no secret, no door, no crash."""

import functools
import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from config.portal.openedx import SECRETS
from config.tenant.own_settings import PROTECTED_LAYER
from config.values.checks import title
from tests.e2e.templates import EVALUATED

# Open edX's features and settings that load code, open a door, or lead somewhere else: lms/envs/common.py.
FEATURES = [
    "ALLOW_PUBLIC_ACCOUNT_CREATION",
    "AUTOMATIC_AUTH_FOR_TESTING",
    "RESTRICT_AUTOMATIC_AUTH",
    "ENABLE_THIRD_PARTY_AUTH",
    "ENABLE_CORS_HEADERS",
    "ENABLE_CROSS_DOMAIN_CSRF_COOKIE",
    "ENABLE_MOBILE_REST_API",
    "ENABLE_OAUTH2_PROVIDER",
    "SKIP_EMAIL_VALIDATION",
    "DISABLE_START_DATES",
    "ENABLE_DJANGO_ADMIN_SITE",
    "ENABLE_DEBUG_RUN_PYTHON",
    "ENABLE_XBLOCK_VIEW_ENDPOINT",
    "CUSTOM_COURSES_EDX",
    "ENABLE_CHANGE_USER_PASSWORD_ADMIN",
    "ENABLE_CREATOR_GROUP",
    "ENABLE_MAX_FAILED_LOGIN_ATTEMPTS",
    "PREVENT_CONCURRENT_LOGINS",
    "SQUELCH_PII_IN_LOGS",
    "REROUTE_ACTIVATION_EMAIL",
    "ENABLE_LTI_PROVIDER",
    "ENABLE_BULK_ENROLLMENT_VIEW",
    "ENABLE_MASQUERADE",
    "MODE_CREATION_FOR_TESTING",
    "AUTOMATIC_VERIFY_STUDENT_IDENTITY_FOR_TESTING",
    "ENABLE_SERVICE_STATUS",
    "ENABLE_ENTERPRISE_INTEGRATION",
]
SETTINGS = [
    "ADDL_INSTALLED_APPS",
    "ADMINS",
    "AUTHENTICATION_BACKENDS",
    "AUTH_PASSWORD_VALIDATORS",
    "AWS_ACCESS_KEY_ID",
    "BADGING_BACKEND",
    "BLOCK_STRUCTURES_SETTINGS",
    "CODE_JAIL",
    "COMPREHENSIVE_THEME_DIRS",
    "CONTEXT_PROCESSORS",
    "CORS_ORIGIN_WHITELIST",
    "COURSES_WITH_UNSAFE_CODE",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_ROUTERS",
    "DEBUG",
    "DEFAULT_FILE_STORAGE",
    "DJFS",
    "EDX_API_KEY",
    "ENABLE_COMPREHENSIVE_THEMING",
    "ENABLE_CODEJAIL_REST_SERVICE",
    "CODE_JAIL_REST_SERVICE_HOST",
    "EVENT_TRACKING_BACKENDS",
    "EXTRA_MIDDLEWARE_CLASSES",
    "FEATURES",
    "FERNET_KEYS",
    "FIELD_OVERRIDE_PROVIDERS",
    "GRADES_DOWNLOAD",
    "HEARTBEAT_CHECKS",
    "IDA_LOGOUT_URI_LIST",
    "INSTALLED_APPS",
    "JWT_AUTH",
    "LOCALE_PATHS",
    "LOGGING",
    "LOGIN_REDIRECT_WHITELIST",
    "MAKO_TEMPLATE_DIRS_BASE",
    "MIDDLEWARE",
    "MODULESTORE",
    "OAUTH_ENFORCE_SECURE",
    "PROFILE_IMAGE_BACKEND",
    "PROCTORING_BACKENDS",
    "RATELIMIT_ENABLE",
    "REGISTRATION_EXTENSION_FORM",
    "ROOT_URLCONF",
    "SEARCH_INITIALIZER",
    "SESSION_COOKIE_DOMAIN",
    "SESSION_SERIALIZER",
    "SOCIAL_AUTH_OAUTH_SECRETS",
    "STATICFILES_STORAGE",
    "SYSLOG_SERVER",
    "SYSTEM_WIDE_ROLE_CLASSES",
    "TEMPLATES",
    "THIRD_PARTY_AUTH_BACKENDS",
    "TRACKING_BACKENDS",
    "WIKI_EDITOR",
    "X_FRAME_OPTIONS",
    "XBLOCK_EXTRA_MIXINS",
    "XBLOCK_FIELD_DATA_WRAPPERS",
    "XBLOCK_SETTINGS",
    "XQUEUE_INTERFACE",
    "ZENDESK_URL",
    "__class__",
    "lms_base",
]
EXTRA = ("EDXAPP_ENV_EXTRA", "EDXAPP_LMS_ENV_EXTRA", "EDXAPP_CMS_ENV_EXTRA")


def refusal(configuration: SimpleNamespace, content: object) -> str:
    """Why overrides are refused, or nothing."""
    table = table_of(configuration)
    try:
        configuration.variables.check(json.dumps(content).encode(), table)
    except configuration.refusal.Refusal as error:
        return str(error)
    return ""


@functools.cache
def table(home: Path, variables: ModuleType) -> Any:
    """The table of what may be set, read once."""
    return variables.Table.load(home / "variables.yml")


def table_of(configuration: SimpleNamespace) -> Any:
    """The table of what may be set."""
    return table(Path(configuration.plain_yaml.__file__).parents[1], configuration.variables)


# No text is a template


@pytest.mark.parametrize("text", EVALUATED)
def test_ansible_sees_no_text_of_others(
    configuration: SimpleNamespace, paths: Any, given_to_ansible: list[dict[str, Any]], text: str
) -> None:
    tenant = {"EDXAPP_PLATFORM_NAME": text, "EDXAPP_CONTACT_EMAIL": text, "EDXAPP_FEATURES": {text: text}}
    (paths.layers / "tenant.json").write_text(json.dumps(tenant))
    overrides = {
        "EDXAPP_PLATFORM_DESCRIPTION": text,
        "EDXAPP_MKTG_URLS": {text: [text, {text: text}]},
        "PORTAL_HEADER_NAVIGATION_LINKS": [{"title": text, "url": text}],
        "EDXAPP_ENV_EXTRA": {text: text},
    }
    folder = configuration.rendering.ensure_rendered(paths, overrides)
    (variables,) = given_to_ansible
    for name, value in variables.items():
        assert re.fullmatch(r"[A-Z][A-Z_]+", name)
        assert re.fullmatch("\ue000[0-9]+\ue001", value if isinstance(value, str) else "".join(value)), value
        assert isinstance(value, str) or set(value.values()) == {""}
    made = json.loads((folder / "lms.json").read_text())
    assert made["EDXAPP_PLATFORM_NAME"] == made["EDXAPP_PLATFORM_DESCRIPTION"] == made[text] == text
    assert made["EDXAPP_MKTG_URLS"] == overrides["EDXAPP_MKTG_URLS"]
    assert made["PORTAL_HEADER_NAVIGATION_LINKS"] == overrides["PORTAL_HEADER_NAVIGATION_LINKS"]


@pytest.mark.parametrize(
    "name", ["openedx_files", "output", "ansible_python_interpreter", "hosts", "{{ x }}"]
)
def test_no_name_of_others_becomes_a_variable_of_ansible_s(
    configuration: SimpleNamespace, paths: Any, given_to_ansible: list[dict[str, Any]], name: str
) -> None:
    """Past the checks of names, too."""
    with pytest.raises(configuration.ansible.AnsibleError, match="the role has no variable"):
        configuration.rendering.ensure_rendered(paths, {name: "x"})
    assert given_to_ansible == []
    assert refusal(configuration, {name: "x"})


# No text is a secret


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_s_name_is_a_text_wherever_a_person_may_write_one(
    configuration: SimpleNamespace, paths: Any, name: str
) -> None:
    marked = [f"secret:{name}", {"secret": name}, f"/run/secrets/{name}", [{"secret": name}]]
    variables = {f"A{number}": each for number, each in enumerate(marked)}
    (paths.layers / "tenant.json").write_text(
        json.dumps({"EDXAPP_PLATFORM_NAME": marked[0], "EDXAPP_ENV_EXTRA": {"TENANT": variables}})
    )
    overrides = {
        "EDXAPP_PLATFORM_DESCRIPTION": marked[0],
        "EDXAPP_FEATURES": variables,
        "EDXAPP_LMS_ENV_EXTRA": variables,
    }
    configuration.rendering.install_settings(paths, configuration.rendering.ensure_rendered(paths, overrides))
    env = json.loads((paths.settings / "lms.env.json").read_text())
    assert (env["EDXAPP_PLATFORM_NAME"], env["EDXAPP_PLATFORM_DESCRIPTION"]) == (marked[0], marked[0])
    assert {key: env[key] for key in variables} == variables
    assert env["TENANT"] == variables
    assert not [each for each in SECRETS if f"generated-{each}" in json.dumps(env)]


def test_nothing_is_slipped_into_a_mapping_of_the_operator_s(
    configuration: SimpleNamespace, paths: Any
) -> None:
    """Past the checks of names, too; software that merges both files gets nothing of it either."""
    overrides = {"EDXAPP_ENV_EXTRA": {name: {"default": {"OPTIONS": "evil"}} for name in PROTECTED_LAYER}}
    configuration.rendering.install_settings(paths, configuration.rendering.ensure_rendered(paths, overrides))
    for path in paths.settings.iterdir():
        assert "evil" not in path.read_text() or path.name.endswith(".env.json")
        protected = json.loads((paths.layers / "protected.json").read_text())
        variant, kind, _ = path.name.split(".")
        written = json.loads(path.read_text())
        if kind == "env":
            assert {key: written[key] for key in protected["env"][variant]} == protected["env"][variant]
            assert not set(written) & set(protected["auth"][variant]) - set(protected["env"][variant])


# No door


def test_a_feature_that_opens_a_door_is_the_operator_s(configuration: SimpleNamespace) -> None:
    remedy = "the operator may set it in the tenant's file, under features, where it is reviewed"
    for name in FEATURES:
        assert remedy in refusal(configuration, {"EDXAPP_FEATURES": {name: True}}), name


@pytest.mark.parametrize("variable", EXTRA)
def test_a_setting_that_loads_code_or_leads_elsewhere_is_the_operator_s(
    configuration: SimpleNamespace, variable: str
) -> None:
    remedy = "the operator may set it in the tenant's file, under settings, where it is reviewed"
    for name in (*SETTINGS, *PROTECTED_LAYER):
        assert remedy in refusal(configuration, {variable: {name: "x"}}), name


def test_what_may_be_set_is_listed_and_none_of_it_is_the_program_s(configuration: SimpleNamespace) -> None:
    table = table_of(configuration)
    listed = {name for variable in EXTRA for name in table.variables[variable].keys}
    assert not listed & {*PROTECTED_LAYER, *SETTINGS}
    assert not set(table.variables["EDXAPP_FEATURES"].keys) & set(FEATURES)
    # A type is a check; no type takes a mapping of any keys with any values.
    types = {
        row.type
        for rows in (table.variables.values(), *(each.keys.values() for each in table.variables.values()))
        for row in rows
    }
    for each in types - {"mapping"}:
        row = configuration.variables.Row(type=each, of=("a",))
        assert configuration.variables.value_checks.finding(row, {"BACKEND": {"a": "b.c.D"}}), each


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "//evil.example",
        "https://user:pw@evil.example",
        "data:text/html,x",
        "/\\evil.example",
    ],
)
@pytest.mark.parametrize(
    "where", ["EDXAPP_PASSWORD_RESET_SUPPORT_LINK", "PORTAL_LOGO_URL", "PORTAL_PRIVATE_PORTAL_URL"]
)
def test_an_address_leads_to_a_page_and_nowhere_else(
    configuration: SimpleNamespace, where: str, text: str
) -> None:
    assert refusal(configuration, {where: text})
    assert refusal(configuration, {"EDXAPP_MKTG_URLS": {"ABOUT": text}})
    assert refusal(configuration, {"PORTAL_FOOTER_NAVIGATION_LINKS": [{"title": "x", "url": text}]})


NAMES = {
    "EDXAPP_PLATFORM_NAME": "EDXAPP_PLATFORM_NAME",
    "EDXAPP_PLATFORM_DESCRIPTION": "EDXAPP_PLATFORM_DESCRIPTION",
    "PORTAL_CUSTOM_CERT_ISSUER": "PORTAL_CUSTOM_CERT_ISSUER",
    **dict.fromkeys(
        (
            "CERT_NAME_LONG",
            "CERT_NAME_SHORT",
            "CONTACT_MAILING_ADDRESS",
            "PLATFORM_TWITTER_ACCOUNT",
            "STUDIO_NAME",
            "STUDIO_SHORT_NAME",
        ),
        "EDXAPP_ENV_EXTRA",
    ),
}


def named(name: str, value: object) -> dict[str, Any]:
    """Overrides with one value, which may stand in a mapping."""
    where = NAMES[name]
    return {where: value if where == name else {name: value}}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        # In an attribute without quotes: aria-label=${_("About {platform_name} Certificates")…}.
        "Acme tabindex=1 autofocus onfocus=alert(document.domain) x=",
        "<script>alert(1)</script>",
        'Acme" onload="x',
        "Acme `x`",
        "Acme \u202emoc.live",
        "Acme \u2066x",
        "Acme \u200fx",
    ],
)
def test_a_name_says_nothing_to_a_page(configuration: SimpleNamespace, name: str, text: str) -> None:
    assert "a text without <" in refusal(configuration, named(name, text))
    assert refusal(configuration, {"EDXAPP_MKTG_URLS": {"ABOUT": f"https://acme.com/{text}"}})
    assert refusal(configuration, {"PORTAL_FOOTER_NAVIGATION_LINKS": [{"title": text, "url": "/"}]})
    assert refusal(configuration, {"PORTAL_LEARNER_SUPPORT_CONFIG": {"hours": text}})
    assert refusal(configuration, {"EDXAPP_CONTACT_EMAIL": f"{text}@acme.com"})
    with pytest.raises(ValueError, match="has "):
        title(text)


@pytest.mark.parametrize(
    "text", ["L'Académie & Söhne (2024)", "أكاديمية", "Akademie \U0001f393", "A+B: 100 %"]
)
def test_a_name_may_be_any_other(configuration: SimpleNamespace, text: str) -> None:
    for name in NAMES:
        assert refusal(configuration, named(name, text)) == ""
    assert title(text) == text


def test_every_text_of_the_table_is_one_of_these(configuration: SimpleNamespace) -> None:
    """A variable that comes to the table with a type that takes any text fails here."""
    table = table_of(configuration)
    for name, row in [
        *table.variables.items(),
        *((name, row) for each in table.variables.values() for name, row in each.keys.items()),
    ]:
        if row.type != "mapping":
            assert configuration.variables.value_checks.finding(row, "a onfocus=b"), name
            assert configuration.variables.value_checks.finding(row, ["a onfocus=b"]), name


# No name of a page, no language and no time zone but those that Open edX has


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"EDXAPP_MKTG_URL_LINK_MAP": {"ABOUT": "dashboard"}}, "expected one of about, blog, "),
        ({"EDXAPP_MKTG_URL_LINK_MAP": {"FAQ": "root"}}, "expected one of about, blog, "),
        ({"EDXAPP_MKTG_URL_LINK_MAP": {"COURSES": "dashboard"}}, "expected one of courses"),
        ({"EDXAPP_LANGUAGE_CODE": "zz"}, "expected a language that Open edX has"),
        ({"EDXAPP_LANGUAGE_CODE": "de"}, "is 'de-de' meant?"),
        # edx-platform lists it and has no translation.
        ({"EDXAPP_LANGUAGE_CODE": "zh-hk"}, "expected a language that Open edX has"),
        ({"EDXAPP_LANGUAGE_CODE": ["fr"]}, "expected a language that Open edX has"),
        ({"EDXAPP_TIME_ZONE": "Mars/Phobos"}, "expected a time zone"),
        ({"EDXAPP_TIME_ZONE": "Europe/Viena"}, "is 'Europe/Vienna' meant?"),
        ({"EDXAPP_ENV_EXTRA": {"TIME_ZONE_DISPLAYED_FOR_DEADLINES": "../x"}}, "expected a time zone"),
    ],
)
def test_a_name_that_open_edx_does_not_have_is_refused(
    configuration: SimpleNamespace, variables: dict[str, Any], words: str
) -> None:
    assert words in refusal(configuration, variables)


def test_the_names_that_open_edx_has_are_taken(configuration: SimpleNamespace) -> None:
    for language in ("en", "ar", "de-de", "es-419", "pt-br", "zh-cn"):
        assert refusal(configuration, {"EDXAPP_LANGUAGE_CODE": language}) == ""
    for zone in ("UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires"):
        assert refusal(configuration, {"EDXAPP_TIME_ZONE": zone}) == ""
    pages = {"ABOUT": "about", "FAQ": "help", "COURSES": "courses", "TOS": "tos"}
    assert refusal(configuration, {"EDXAPP_MKTG_URL_LINK_MAP": pages}) == ""


# No crash: whatever stands at the file's place


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


PLACED: dict[str, Callable[[Path], object]] = {
    "a named pipe": _fifo,
    "a folder": Path.mkdir,
    "a socket": _socket,
    "a link to a secret": lambda path: path.symlink_to(path.parents[1] / "secrets" / SECRETS[0]),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a loop of links": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("/nowhere"),
    "too large": _large,
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "a bomb": lambda path: path.write_text(
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))
    ),
}


@pytest.mark.parametrize("what", PLACED)
@pytest.mark.timeout(60)
def test_what_cannot_be_read_changes_nothing_at_any_time(
    configuration: SimpleNamespace, paths: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(paths.overrides)
    running = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    first, mark = running.update(), running.change_mark()
    paths.overrides_file.unlink()
    PLACED[what](paths.overrides_file)
    assert running.change_mark() != mark
    # While it runs; at a start, with nothing in memory.
    for outcome in (
        running.update(),
        configuration.overrides.Overrides(paths).update(),
        configuration.overrides.Overrides(paths).update_at_start(),
    ):
        assert (outcome.version, outcome.folder) == (first.version, first.folder)
        assert outcome.refused
    # In a job nothing of it counts.
    assert "First" not in (running.render_without_overrides() / "lms.json").read_text()
    status = json.loads((paths.overrides / "status.json").read_text())
    assert status["refused"]["reason"] == outcome.refused
    assert not [each for each in SECRETS if f"generated-{each}" in json.dumps(status)]
    if paths.overrides_file.is_dir():
        paths.overrides_file.rmdir()
    else:
        paths.overrides_file.unlink()
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: Second\n")
    assert running.update().version.number == 2


@pytest.mark.parametrize("what", PLACED)
@pytest.mark.timeout(60)
def test_a_portal_s_first_start_needs_no_readable_file(
    configuration: SimpleNamespace, paths: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(paths.overrides)
    PLACED[what](paths.overrides_file)
    assert configuration.overrides.Overrides(paths).update_at_start().version.number == 0


def test_a_file_of_root_s_alone_changes_nothing(
    configuration: SimpleNamespace, paths: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These tests may run as root, whom no mode keeps out: the answer of the system is given instead."""
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper.update()
    paths.overrides_file.chmod(0)
    really = os.open

    def refuse(path: Any, *more: Any, **named: Any) -> int:
        if path == paths.overrides_file:
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, *more, **named)

    monkeypatch.setattr(configuration.files.os, "open", refuse)
    outcome = configuration.overrides.Overrides(paths).update_at_start()
    assert (outcome.version.number, outcome.refused) == (1, "cannot be read: Permission denied")


# The product's own records


def test_records_beside_the_overrides_are_written_and_never_believed(
    configuration: SimpleNamespace, paths: Any
) -> None:
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper.update()
    forged = b"EDXAPP_PLATFORM_NAME: Forged\n"
    name = f"000002-{configuration.records.sha256_of(forged)[:12]}.yml"
    (paths.overrides / "history" / name).write_bytes(forged)
    status = json.loads((paths.overrides / "status.json").read_text())
    status["in_force"] = {"number": 2, "sha256": configuration.records.sha256_of(forged), "since": ""}
    (paths.overrides / "status.json").write_text(json.dumps(status))
    paths.overrides_file.write_text("nonsense")
    for each in (keeper, configuration.overrides.Overrides(paths)):
        assert each.update().version.number == 1
        assert each.versions() == [1]
    with pytest.raises(configuration.refusal.Refusal, match="version 2 is not kept"):
        keeper.restore(2)


def test_no_number_beside_the_overrides_is_the_last_of_all(
    configuration: SimpleNamespace, paths: Any
) -> None:
    """What was published before records were kept apart is taken over: by whatever names somebody gave."""
    history = paths.overrides / "history"
    history.mkdir()
    for number, text in ((12, "EDXAPP_PLATFORM_NAME: Old\n"), (999_999, "EDXAPP_PLATFORM_NAME: Last\n")):
        (history / f"{number:06d}-{configuration.records.sha256_of(text.encode())[:12]}.yml").write_text(text)
    beyond = b"EDXAPP_PLATFORM_NAME: Beyond\n"
    (history / f"{10**40}-{configuration.records.sha256_of(beyond)[:12]}.yml").write_bytes(beyond)
    for number in range(60):
        (history / f"z{number}").touch()
    keeper = configuration.overrides.Overrides(paths)
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: New\n")
    assert keeper.update().version.number == 1_000_000
    assert keeper.versions() == [1_000_000, 999_999, 12]
    paths.overrides_file.write_text("nonsense")
    assert configuration.overrides.Overrides(paths).update().version.number == 1_000_000


def test_a_link_beside_the_overrides_is_not_followed(configuration: SimpleNamespace, paths: Any) -> None:
    keeper = configuration.overrides.Overrides(paths)
    keeper.update()
    (paths.overrides / "history").symlink_to(paths.secrets)
    (paths.overrides / "status.json").unlink()
    (paths.overrides / "status.json").symlink_to(paths.secrets / SECRETS[0])
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    assert keeper.update().version.number == 1
    assert sorted(each.name for each in paths.secrets.iterdir()) == sorted(SECRETS)
    assert (paths.secrets / SECRETS[0]).read_text() == f"generated-{SECRETS[0]}"
    assert not (paths.overrides / "status.json").is_symlink()


def test_a_place_where_nothing_can_be_written_keeps_nothing_from_being_in_force(
    configuration: SimpleNamespace, paths: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("status.json", "history"):
        (paths.overrides / name).mkdir()
        (paths.overrides / name / "in the way").mkdir()
    (paths.overrides / "history" / "in the way").rmdir()
    (paths.overrides / "history").rmdir()
    (paths.overrides / "history").write_text("a file")
    paths.overrides_file.write_text("EDXAPP_PLATFORM_NAME: First\n")
    keeper = configuration.overrides.Overrides(paths)
    assert keeper.update().version.number == 1
    paths.overrides_file.write_text("nonsense")
    assert configuration.overrides.Overrides(paths).update().version.number == 1
    err = capsys.readouterr().err
    assert "overrides/status.json cannot be written: Is a directory" in err
    assert "overrides/history/" in err


def test_what_is_rendered_decides_no_host_and_no_key(configuration: SimpleNamespace, paths: Any) -> None:
    folder = configuration.rendering.ensure_rendered(paths, {})
    (folder / "lms.json").write_text(
        json.dumps({"LMS_BASE": "evil", "DATABASES": "evil", "PLATFORM_NAME": "a"})
    )
    configuration.rendering.install_settings(paths, folder)
    assert "evil" not in (paths.settings / "lms.env.json").read_text()
    assert "evil" not in (paths.settings / "lms.auth.json").read_text()


@pytest.mark.parametrize("name", ["\x1b[31mred", "\n::error::x", "a" * 5000, "\u202ex", "\u2028"])
def test_a_refusal_holds_nothing_that_a_terminal_or_a_page_obeys(
    configuration: SimpleNamespace, name: str
) -> None:
    for content in ({name: "x"}, {"EDXAPP_FEATURES": {name: True}}, {"PORTAL_PRIMARY_COLOR": name}):
        words = refusal(configuration, content)
        assert words.isprintable()
        assert len(words) < 600
