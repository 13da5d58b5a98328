"""The stand-in's parts that need no Django: command line, settings file, secrets, static files, the pages' frame."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.releases.release import Releases
from testbed.standin_bench import passwords, settings
from tests import standalone

FOLDER = Path(__file__).parents[4] / "images" / "openedx-standin"
APP = FOLDER / "app"


@pytest.fixture(scope="module")
def standin() -> Iterator[dict[str, ModuleType]]:
    """The modules that must load on a bare Python."""
    names = ("access", "assets", "bounded", "config", "entry", "theme")
    with standalone.package(APP, "standin", names) as modules:
        yield modules


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, ModuleType]]:
    """Those of the accounts' modules that load on a bare Python."""
    with standalone.package(APP, "accounts", ("addresses", "refusals")) as modules:
        yield modules


@pytest.fixture
def place(tmp_path: Path) -> Any:
    """Writes a variant's settings files; gives the environment that points to them."""

    def write(content: object, variant: str = "lms", auth: object = None) -> dict[str, str]:
        file = tmp_path / f"{variant}.env.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        if auth != "none":
            text = auth if isinstance(auth, str) else json.dumps(auth or passwords())
            (tmp_path / f"{variant}.auth.json").write_text(text)
        return {f"{variant.upper()}_CFG": str(file)}

    return write


# The command line


@pytest.mark.parametrize(
    "words",
    [
        ("lms",),
        ("cms-workers",),
        ("lms-migrate",),
        ("lms-migrate", "cms-migrate", "lms-assets", "create-admin"),
    ],
)
def test_verbs_are_taken(standin: dict[str, ModuleType], words: tuple[str, ...]) -> None:
    assert standin["entry"].parse(words) == words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "no verb given; verbs that stay up: lms, cms, lms-workers, cms-workers; verbs that end"),
        (["LMS"], "unknown verb 'LMS'"),
        (["lms-migrate", "--help"], "unknown verb '--help'"),
        (["lms", "cms"], "'lms' stays up and must be the only verb"),
        (["lms-migrate", "lms"], "'lms' stays up and must be the only verb"),
        ([""], "unknown verb ''"),
    ],
)
def test_anything_else_names_the_verbs(
    standin: dict[str, ModuleType], words: list[str], expected: str
) -> None:
    with pytest.raises(standin["entry"].Usage) as error:
        standin["entry"].parse(words)
    assert str(error.value).startswith(expected)
    assert "lms-migrate, cms-migrate, lms-assets, oauth-sync, create-admin" in str(error.value)


def test_workers_take_the_queues_of_their_variant(standin: dict[str, ModuleType]) -> None:
    words = standin["entry"].command("cms-workers", {}, {"OPENEDX_WORKERS": "3"})
    assert "--hostname=edx.cms.core.default.1.%h" in words
    assert "--queues=edx.cms.core.default,edx.cms.core.high,edx.cms.core.low" in words
    assert "--concurrency=3" in words
    words = standin["entry"].command("lms-workers", {}, {})
    assert "--queues=edx.lms.core.default,edx.lms.core.high,edx.lms.core.high_mem" in words
    assert "--concurrency=1" in words
    assert not [word for word in words if word.startswith("--max-tasks-per-child")]


def test_workers_take_the_queues_they_are_told(standin: dict[str, ModuleType]) -> None:
    entry = standin["entry"]
    words = entry.command("lms-workers", {}, {"OPENEDX_QUEUES": "default,high"})
    assert "--queues=edx.lms.core.default,edx.lms.core.high" in words
    assert "--hostname=edx.lms.core.default.1.%h" in words
    words = entry.command("lms-workers", {}, {"OPENEDX_QUEUES": "high_mem"})
    assert "--queues=edx.lms.core.high_mem" in words
    assert "--hostname=edx.lms.core.high_mem.1.%h" in words
    assert "--max-tasks-per-child=1" in words
    for queues in ("low", "default,", "high high_mem"):
        with pytest.raises(entry.Usage, match="is no queue of lms; there are: default, high, high_mem"):
            entry.command("lms-workers", {}, {"OPENEDX_QUEUES": queues})


def test_the_queues_are_those_of_every_release(standin: dict[str, ModuleType]) -> None:
    for release in Releases(FOLDER.parents[1] / "config" / "releases").all().values():
        for variant, queues in standin["entry"].QUEUES.items():
            assert release.services[f"{variant}-workers"].queues == queues


def test_every_verb_has_a_command(standin: dict[str, ModuleType]) -> None:
    entry = standin["entry"]
    commands = {name: entry.command(name, settings("lms"), {}) for name in entry.VERBS}
    assert all(command[0] == "-m" for command in commands.values())
    # Both variants migrate one database; the cms's run indexes the courses too.
    assert commands["cms-migrate"] == (*commands["lms-migrate"], "--reindex")


def test_main_tells_in_one_line_and_by_code(
    standin: dict[str, ModuleType],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("LMS_CFG", str(tmp_path / "none.json"))
    for words, code in (([], 64), (["x"], 64), (["lms"], 78), (["lms-assets"], 78)):
        assert standin["entry"].main(words) == code
        err = capsys.readouterr().err
        assert err.startswith("openedx: ")
        assert err.count("\n") == 1


# The settings file


def test_a_whole_file_is_taken(standin: dict[str, ModuleType], place: Any) -> None:
    load, merged = standin["config"].load, standin["config"].merged
    assert load("lms", place(settings("lms")), admin=True) == merged(settings("lms"), passwords())
    assert standin["config"].load("cms", place(settings("cms"), "cms"))["SITE_NAME"] == "cms.bench.test"


def test_without_a_word_the_usual_place(standin: dict[str, ModuleType]) -> None:
    assert standin["config"].path("cms", {}) == Path("/openedx/config/cms.env.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"LMS_BASE": None}, 'LMS_BASE is missing, for example "learn.acme.com"'),
        ({"LMS_BASE": ""}, "LMS_BASE is ''"),
        ({"PLATFORM_NAME": 7}, "PLATFORM_NAME is 7, for example"),
        ({"ALLOWED_HOSTS": "lms.bench.test"}, "ALLOWED_HOSTS is 'lms.bench.test', for example"),
        ({"ALLOWED_HOSTS": []}, "ALLOWED_HOSTS is []"),
        ({"ALLOWED_HOSTS": ["lms"]}, "ALLOWED_HOSTS is ['lms'], without LMS_BASE's host 'lms.bench.test'"),
        ({"DATABASES": {}}, "DATABASES.default.NAME is missing"),
        ({"DATABASES": [1]}, "DATABASES.default.PORT is missing"),
        ({"DOC_STORE_CONFIG": {"host": "mongo", "port": True, "db": "x"}}, "DOC_STORE_CONFIG.port is True"),
        (
            {"CELERY_RESULT_REDIS": {"host": "redis", "port": "6379", "db": 0}},
            "CELERY_RESULT_REDIS.port is '6379'",
        ),
        ({"ADMIN": {"username": "admin"}}, "ADMIN.email is missing"),
    ],
)
def test_a_wrong_key_is_named_with_an_example(
    standin: dict[str, ModuleType], place: Any, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(standin["config"].ConfigError) as error:
        standin["config"].load("lms", place(settings("lms") | change), admin=True)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("allowed", [["*"], [".bench.test"], ["lms.bench.test"]])
def test_hosts_as_django_knows_them(standin: dict[str, ModuleType], place: Any, allowed: list[str]) -> None:
    assert standin["config"].load("lms", place(settings("lms") | {"ALLOWED_HOSTS": allowed}))


def test_the_admin_is_wanted_only_where_it_is_made(standin: dict[str, ModuleType], place: Any) -> None:
    without = {key: value for key, value in settings("lms").items() if key != "ADMIN"}
    assert "ADMIN" not in standin["config"].load("lms", place(without))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ("[]", "expected a mapping, not list"),
        ("{", "not valid JSON"),
        ("\0", "not valid JSON"),
    ],
)
def test_what_is_no_settings_file(
    standin: dict[str, ModuleType], place: Any, text: str, message: str
) -> None:
    with pytest.raises(standin["config"].ConfigError, match=message):
        standin["config"].load("lms", place(text))


def test_a_directory_or_nothing_in_its_place(standin: dict[str, ModuleType], tmp_path: Path) -> None:
    for file, reason in ((tmp_path, "Is a directory"), (tmp_path / "x", "No such file")):
        with pytest.raises(standin["config"].ConfigError, match=reason):
            standin["config"].load("lms", {"LMS_CFG": str(file)})


def test_passwords_lie_over_the_settings(standin: dict[str, ModuleType], place: Any) -> None:
    """Whole or in part: the second file has the last word, key by key."""
    over = passwords() | {"DATABASES": {"default": {"HOST": "elsewhere", "PASSWORD": "p"}}, "SITE_NAME": "x"}
    loaded = standin["config"].load("lms", place(settings("lms"), auth=over))
    assert loaded["SITE_NAME"] == "x"
    assert loaded["DATABASES"]["default"] == {
        **settings("lms")["DATABASES"]["default"],
        "HOST": "elsewhere",
        "PASSWORD": "p",
    }


@pytest.mark.parametrize("wrong", ["", 7, ["geheim"], {"geheim": 1}])
def test_a_wrong_password_is_not_told(standin: dict[str, ModuleType], place: Any, wrong: object) -> None:
    with pytest.raises(
        standin["config"].ConfigError, match="CELERY_BROKER_PASSWORD is missing, empty or no text"
    ) as error:
        standin["config"].load(
            "lms", place(settings("lms"), auth=passwords() | {"CELERY_BROKER_PASSWORD": wrong})
        )
    assert "geheim" not in str(error.value)


def test_without_the_second_file(standin: dict[str, ModuleType], place: Any) -> None:
    with pytest.raises(standin["config"].ConfigError, match=r"lms\.auth\.json: No such file"):
        standin["config"].load("lms", place(settings("lms"), auth="none"))


@pytest.mark.parametrize(
    ("text", "message"), [("", "not valid JSON"), ("[]", "expected a mapping, not list")]
)
def test_what_is_no_second_file(standin: dict[str, ModuleType], place: Any, text: str, message: str) -> None:
    with pytest.raises(standin["config"].ConfigError, match=rf"lms\.auth\.json: {message}"):
        standin["config"].load("lms", place(settings("lms"), auth=text or " "))


def test_secrets(standin: dict[str, ModuleType], tmp_path: Path) -> None:
    config = standin["config"]
    (tmp_path / "good").write_text("a b'c\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert config.secret("good", tmp_path) == "a b'c"
    for name, reason in (("empty", "empty"), ("none", "No such file"), ("bytes", "not UTF-8")):
        with pytest.raises(config.ConfigError, match=f"{name}: {reason}"):
            config.check_secrets(["good", name], tmp_path)


# Static files


def test_static_files_are_copied_once_and_none_is_taken_away(
    standin: dict[str, ModuleType], tmp_path: Path
) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    (source / "a").mkdir(parents=True)
    (source / "a" / "site.1.css").write_text("one")
    (source / "staticfiles.json").write_text("{}")
    (target / "a").mkdir(parents=True)
    (target / "a" / "site.0.css").write_text("of an earlier release")
    # A copy that was killed half-way.
    (target / "a" / "site.1.css").write_text("on")
    copy = standin["assets"].copy
    assert (copy(source, target), copy(source, target)) == (2, 0)
    assert sorted(path.name for path in target.rglob("*.*")) == [
        "site.0.css",
        "site.1.css",
        "staticfiles.json",
    ]
    assert (target / "a" / "site.1.css").read_text() == "one"


def test_an_unwritable_target_is_one_line(
    standin: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "x").write_text("x")
    (tmp_path / "to").write_text("a file")
    assert standin["assets"].main(tmp_path / "from", tmp_path / "to") == 1
    assert capsys.readouterr().err.count("\n") == 1


# The theme


@pytest.mark.parametrize(
    ("theme", "finding"),
    [
        ({"BRAND_COLORS": {"primary": "red"}}, "BRAND_COLORS.primary is 'red', for example '#0a4f9e'"),
        ({"BRAND_COLORS": {"primary": "#12345"}}, "BRAND_COLORS.primary is '#12345'"),
        ({"BRAND_COLORS": {"primary": "#123456;}"}}, "BRAND_COLORS.primary is '#123456;}'"),
        ({"BRAND_COLORS": {"primary": 7}}, "BRAND_COLORS.primary is 7"),
        ({"BRAND_COLORS": ["#123456"]}, "BRAND_COLORS.primary is ['#123456']"),
        ({"LOGO_URL": "http://acme.com/logo.png"}, "LOGO_URL is 'http://acme.com/logo.png'"),
        ({"LOGO_URL": "//acme.com/logo.png"}, "LOGO_URL is '//acme.com/logo.png'"),
        ({"LOGO_URL": "/\\acme.com/logo.png"}, "LOGO_URL is "),
        ({"LOGO_URL": "https://acme.com;script-src/*"}, "LOGO_URL is 'https://acme.com;script-src/*'"),
        ({"LOGO_URL": "https://a@acme.com/"}, "LOGO_URL is 'https://a@acme.com/'"),
        ({"LOGO_URL": "https://[x/"}, "LOGO_URL is 'https://[x/'"),
        ({"FAVICON_URL": ["x"]}, "FAVICON_URL is ['x']"),
        ({"HEADER_NAVIGATION_LINKS": "x"}, "HEADER_NAVIGATION_LINKS[0].title is None, for example 'Library'"),
        (
            {"HEADER_NAVIGATION_LINKS": [{"title": "x", "url": "javascript:alert(1)"}]},
            "HEADER_NAVIGATION_LINKS[0].url is 'javascript:alert(1)', for example 'https://acme.com/library'",
        ),
        (
            {"FOOTER_NAVIGATION_LINKS": [{"title": " ", "url": "/"}]},
            "FOOTER_NAVIGATION_LINKS[0].title is ' '",
        ),
        ({"FOOTER_NAVIGATION_LINKS": [{"title": "x", "url": "/a\n"}]}, "FOOTER_NAVIGATION_LINKS[0].url"),
        (
            {"FOOTER_NAVIGATION_LINKS": [{"title": "x", "url": "/"}] * 41},
            "FOOTER_NAVIGATION_LINKS has 41 links, 40 at most",
        ),
    ],
)
def test_what_is_wrong_in_a_theme_is_left_out_and_told(
    standin: dict[str, ModuleType], theme: dict[str, Any], finding: str
) -> None:
    read = standin["theme"].read(theme)
    assert len(read.findings) == 1
    assert read.findings[0].startswith(finding)
    assert (read.logo, read.icon, read.primary, read.header) == ("", "", "#0a4f9e", ())
    assert len(read.footer) in (0, 40)


def test_a_theme_as_it_should_be(standin: dict[str, ModuleType]) -> None:
    read = standin["theme"].read(
        {
            "BRAND_COLORS": {"primary": "#ABCDEF"},
            "LOGO_URL": "https://img.acme.com/logo.png",
            "FAVICON_URL": "/media/icon.png",
            "HEADER_NAVIGATION_LINKS": [{"title": " Library ", "url": "http://acme.com/?a=b"}],
        }
    )
    assert read.findings == ()
    assert (read.primary, read.icon) == ("#abcdef", "/media/icon.png")
    assert read.image_origins == ("https://img.acme.com",)
    assert [(each.title, each.url) for each in read.header] == [("Library", "http://acme.com/?a=b")]
    assert read.version != standin["theme"].read({}).version


@given(colour=st.integers(0, 0xFFFFFF).map("#{:06x}".format))
def test_any_colour_can_be_read(standin: dict[str, ModuleType], colour: str) -> None:
    theme = standin["theme"]
    assert theme.contrast(theme.ink(colour), colour) >= 4.5
    for paper in theme.PAPERS:
        assert theme.contrast(theme.legible(colour, paper), paper) >= 4.5


def test_contrast_is_as_the_standard_has_it(standin: dict[str, ModuleType]) -> None:
    contrast = standin["theme"].contrast
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


# The folder


def test_every_page_stands_in_one_frame() -> None:
    """The word that this is a stand-in is in the frame, outside of every block that a page may change."""
    frame = (APP / "standin" / "templates" / "base.html").read_text()
    outside = re.sub(r"{% block \w+ %}.*?{% endblock %}", "", frame, flags=re.DOTALL)
    assert "stand-in for edx-platform" in outside
    parts = {"base.html", "nav.html", "courses.html", "course_nav.html"}
    for page in APP.glob("*/templates/**/*.html"):
        if page.name not in parts:
            assert page.read_text().startswith('{% extends "base.html" %}'), page


def test_pages_carry_no_style_or_script_of_their_own() -> None:
    """The content policy allows files of this site alone."""
    for page in APP.glob("*/templates/**/*.html"):
        assert not re.search(r"<style|<script|style=|\bon\w+=|javascript:|data:", page.read_text()), page


def test_what_is_needed_is_pinned_by_hash() -> None:
    text = (FOLDER / "requirements.txt").read_text()
    for line in text.replace("\\\n", "").splitlines():
        assert re.fullmatch(r"#.*|[a-z0-9-]+==[\w.]+(\s+--hash=sha256:[0-9a-f]{64})+", line.strip()), line
    assert "://" not in text


# Addresses and refusals


@pytest.mark.parametrize(
    "address",
    [
        "ann@learner.example",
        "a/b@learner.example",
        "ann%b@learner.example",
        "o'neil+tag@learner.example",
        "!#$%&'*+-/=?^_`{|}~@learner.example",
        f"{'a' * 64}@learner.example",
        "ann@bücher.example",
        "ann@xn--bcher-kva.example",
        "admin@demo.localhost",
    ],
)
def test_an_address_that_mail_can_reach(accounts: dict[str, ModuleType], address: str) -> None:
    assert accounts["addresses"].refusal(address) == ""


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ('"ann b"@learner.example', "The part before the @"),
        ('"@"@learner.example', "The part before the @"),
        (".ann@learner.example", "The part before the @"),
        ("ann..b@learner.example", "The part before the @"),
        ("änn@learner.example", "The part before the @"),
        ("ann\n@learner.example", "The part before the @"),
        (f"{'a' * 65}@learner.example", "The part before the @"),
        ("@learner.example", "The part before the @"),
        ("ann", "The part before the @"),
        ("ann@localhost", "The part after the @"),
        ("ann@mysql", "The part after the @"),
        ("ann@[127.0.0.1]", "The part after the @"),
        ("ann@learner.example.", "The part after the @"),
        ("ann@learner..example", "The part after the @"),
        ("ann@metadata.google.internal", "The part after the @"),
        ("ann@-learner.example", "The part after the @"),
    ],
)
def test_an_address_that_mail_cannot_reach(
    accounts: dict[str, ModuleType], address: str, message: str
) -> None:
    assert accounts["addresses"].refusal(address).startswith(message)


def test_registration_and_the_mailer_take_the_same_local_parts(accounts: dict[str, ModuleType]) -> None:
    """One expression in two languages: what may register must be able to get mail."""
    lines = (FOLDER.parent / "mailer" / "exim4.conf").read_text().splitlines()
    [pattern] = [line.split(" = ", 1)[1] for line in lines if "!local_parts = " in line]
    expression = re.compile(pattern.removeprefix(r"\N").removesuffix(r"\N"))

    @given(st.text(st.characters(max_codepoint=0x17F), max_size=70))
    def same(local: str) -> None:
        # A line end never gets so far: it ends the SMTP command.
        local = local.replace("\n", "")
        assert bool(expression.match(local)) == bool(accounts["addresses"].LOCAL_PART.fullmatch(local))

    same()
    assert expression.match("a/b%c")


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (
            SMTPRecipientsRefused({"ann@x.example": (550, b"no such <ann@x.example> here\n")}),
            "550 no such … here",
        ),
        (SMTPRecipientsRefused({"ann@x.example": (451, b"later")}), ""),
        (SMTPRecipientsRefused({"a@x": (550, b"no"), "b@x": (421, b"later")}), ""),
        (SMTPRecipientsRefused({}), ""),
        (SMTPSenderRefused(550, b"not of this portal", "no@x.example"), "550 not of this portal"),
        (SMTPSenderRefused(452, b"too many wait", "no@x.example"), ""),
        (SMTPDataError(552, "too\x1b[2Jlarge"), "552 too [2Jlarge"),
        (SMTPDataError(451, "cannot keep it now"), ""),
    ],
)
def test_a_refusal_for_good_and_one_for_now(
    accounts: dict[str, ModuleType], error: Exception, answer: str
) -> None:
    assert accounts["refusals"].permanent_refusal(error) == answer


# What a log shows, and how long a client may take


@pytest.mark.parametrize(
    ("route", "parts", "shown_path"),
    [
        ("", {}, "/"),
        ("login", {}, "/login"),
        ("courses/<str:key>/about", {"key": "course-v1:a+b+c"}, "/courses/course-v1:a+b+c/about"),
        ("courses/<str:key>/about", {"key": "a b\x1b[2J"}, "/courses/<key>/about"),
        ("courses/<str:key>/about", {"key": "a" * 121}, "/courses/<key>/about"),
        (
            "password_reset_confirm/<str:uidb64>/<str:token>/",
            {"uidb64": "MQ", "token": "c0-ffee"},
            "/password_reset_confirm/<uidb64>/<token>/",
        ),
        ("activate/<str:uid>/<str:token>", {"uid": "MQ", "token": "c0-ffee"}, "/activate/<uid>/<token>"),
        # A part that nobody has thought of yet is not shown.
        ("new/<int:secret>", {"secret": 4711}, "/new/<secret>"),
    ],
)
def test_a_path_as_a_log_shows_it(
    standin: dict[str, ModuleType], route: str, parts: dict[str, object], shown_path: str
) -> None:
    assert standin["access"].shape(route, parts) == shown_path


def test_a_log_line_holds_nothing_that_a_client_made_up(standin: dict[str, ModuleType]) -> None:
    line = standin["access"].line
    assert line("10.0.0.1", "GET", "/login", "200", 12, 3) == "10.0.0.1 GET /login 200 12 3ms"
    assert line("a@b.example", "G\nT", "/", "400", None, 0) == "- ? / 400 - 0ms"


class Slowly:
    """A socket that gives what it is told, each piece after some seconds of a clock that nobody waits for."""

    def __init__(self, pieces: list[tuple[float, bytes]]) -> None:
        self.pieces, self.clock, self.limit = pieces, 0.0, 0.0

    def now(self) -> float:
        return self.clock

    def settimeout(self, limit: float) -> None:
        self.limit = limit

    def recv(self, size: int) -> bytes:
        seconds, data = self.pieces.pop(0)
        self.clock += min(seconds, self.limit)
        if seconds > self.limit:
            raise TimeoutError
        return data


@pytest.mark.parametrize(
    ("pieces", "bytes_read"),
    [
        ([(0, b"x" * 1024)] * 5, 5),
        # Nothing for too long.
        ([(0, b"x"), (16, b"x")], 1),
        # A byte now and then.
        ([(2, b"x")] * 60, 15),
        # Large, slow and honest: 64 KiB each two seconds, ten minutes long.
        ([(2, b"x" * 65536)] * 300, 300),
    ],
)
def test_a_slow_request_ends_by_what_comes_and_not_by_the_clock(
    standin: dict[str, ModuleType], pieces: list[tuple[float, bytes]], bytes_read: int
) -> None:
    slowly = Slowly(list(pieces))
    bounded = standin["bounded"].BoundedSocket(slowly, slowly.now)
    got = 0
    try:
        for _ in pieces:
            bounded.recv(65536)
            got += 1
    except ConnectionError:
        assert got == bytes_read
    assert got == bytes_read
    # The next request of the connection begins anew.
    slowly.pieces = [(1, b"x")]
    bounded.begin()
    assert bounded.recv(1) == b"x"


def test_the_forum_s_limit_is_the_same() -> None:
    """Two images that share nothing: what was found in one is to be mended in both."""
    texts = [
        (folder / "bounded.py").read_text().partition("import errno")[2]
        for folder in (APP / "standin", FOLDER.parent / "forum" / "app" / "service")
    ]
    assert texts[0]
    assert texts[0] == texts[1]
