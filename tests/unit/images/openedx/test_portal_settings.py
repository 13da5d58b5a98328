"""The settings module of the image derived from a public one, on packages of each release's names and types."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.portal import openedx
from config.releases.release import Releases
from config.tenant.own_settings import PROTECTED_LAYER, SETTINGS_MODULE
from config.tenant.tenant import Tenant
from tests.contract.tutor import settings
from tests.programs import ROOT, released
from tests.standalone import load
from tests.unit.images.openedx import edx_platforms
from tests.unit.images.openedx.edx_platforms import SHAPES

HOME = ROOT / "images" / "openedx"
SHOWN = """
import importlib, json, sys
told = importlib.import_module("portal_settings." + sys.argv[1])
from codejail import jail_code
space = {name: value for name, value in vars(told).items() if name.isupper()}
space["(jail)"] = [str(each) for each in jail_code.told]
class Recorded(dict):
    changed = set()

    def update(self, more):
        self.changed |= set(more)
        super().update(more)


again = Recorded(vars(importlib.import_module(sys.argv[1] + ".envs.production")))
changes = importlib.import_module("portal_settings.changes")
changes.apply(again, sys.argv[1])
space["(changed)"] = sorted(again.changed)
space["(open)"] = changes.TENANT_MAY_SET
space["(features are of this module)"] = getattr(told.FEATURES, "space", None) is vars(told)
print(json.dumps(space, default=str))
"""


def test_there_is_a_shape_of_every_release() -> None:
    assert sorted(SHAPES) == Releases(ROOT / "config" / "releases").known()


@pytest.fixture(params=sorted(SHAPES))
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tenant(release: str, tmp_path: Path) -> Tenant:
    folder = tmp_path / "tenants"
    folder.mkdir()
    return released("acme", release, folder)


def filled(value: Any) -> Any:
    """As the container has it, with a password in each marker's place."""
    if isinstance(value, list):
        return [filled(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"secret"}:
        return f"the {value['secret']}"
    return {key: filled(each) for key, each in value.items()}


# The tenant is the same in every test.
ASKED: dict[tuple[str, str], subprocess.CompletedProcess[str]] = {}


def both(tenant: Tenant, variant: str) -> dict[str, Any]:
    """What the program protects, as the entry of the image lays its two files over each other."""
    made: dict[str, Any] = load(HOME / "openedx_entry.py").merged(
        openedx.protected_env(tenant, variant), openedx.protected_auth(tenant)
    )
    return made


def load_settings(
    root: Path, tenant: Tenant, variant: str, more: Mapping[str, Any] | None = None, common: str = ""
) -> subprocess.CompletedProcess[str]:
    """The settings of a variant as Django sees them, on that release's package."""
    usual = (tenant.release.name, variant)
    if usual in ASKED and not more and not common:
        return ASKED[usual]
    package = root / "package"
    edx_platforms.write(package, SHAPES[tenant.release.name], common)
    env = {"PYTHONPATH": f"{HOME}:{package}", "PYTHONDONTWRITEBYTECODE": "1"}
    for each in openedx.VARIANTS:
        document = {**settings(tenant, each), **both(tenant, each), **(more or {})}
        path = root / f"{each}.yml"
        path.write_text(
            yaml.safe_dump(filled({name: value for name, value in document.items() if value != ""}))
        )
        env[f"{each.upper()}_CFG"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, variant], env=env, capture_output=True, text=True, timeout=60
    )
    if not more and not common:
        ASKED[usual] = done
    return done


def shown(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


@pytest.mark.parametrize("variant", openedx.VARIANTS)
def test_nothing_of_a_placeholder_is_left(tenant: Tenant, variant: str, tmp_path: Path) -> None:
    settings = shown(load_settings(tmp_path, tenant, variant))
    for name in (
        "DATABASES", "DOC_STORE_CONFIG", "CONTENTSTORE", "MODULESTORE", "CACHES", "JWT_AUTH", "GRADES_DOWNLOAD",
        "PROFILE_IMAGE_BACKEND", "VIDEO_IMAGE_SETTINGS", "ELASTIC_SEARCH_CONFIG", "SERVER_EMAIL", "PRESS_EMAIL",
        "BULK_EMAIL_DEFAULT_FROM_EMAIL", "ALLOWED_HOSTS", "LOGGING", "DATA_DIR", "GITHUB_REPO_ROOT", "STATIC_ROOT",
    ):  # fmt: skip
        if name == "ELASTIC_SEARCH_CONFIG" and "elasticsearch" not in tenant.services:
            continue
        text = json.dumps(settings[name])
        assert not re.search(
            r"(?<![.\w])localhost|127\.0\.0\.1|/edx/|example\.com|dev key|SysLog|'\*'|\"\*\"", text
        ), name


def test_the_database_keeps_the_release_s_own_way_and_texts_of_any_script(
    tenant: Tenant, tmp_path: Path
) -> None:
    databases = shown(load_settings(tmp_path, tenant, "lms"))["DATABASES"]
    assert set(databases) == {"default"}
    assert databases["default"]["ATOMIC_REQUESTS"] is True
    old = tenant.services["mysql"].version.startswith("5.6")
    assert databases["default"]["OPTIONS"]["charset"] == ("utf8" if old else "utf8mb4")
    assert (databases["default"]["HOST"], databases["default"]["PASSWORD"]) == (
        "mysql",
        "the mysql-edxapp-password",
    )


def test_courses_and_their_files_are_in_the_portal_s_mongo(tenant: Tenant, tmp_path: Path) -> None:
    settings = shown(load_settings(tmp_path, tenant, "cms"))
    stores = [each["DOC_STORE_CONFIG"] for each in settings["MODULESTORE"]["default"]["OPTIONS"]["stores"]]
    for each in (*stores, settings["CONTENTSTORE"]["DOC_STORE_CONFIG"], settings["CONTENTSTORE"]["OPTIONS"]):
        assert (each["host"], each["user"], each["password"]) == ("mongo", "openedx", "the mongo-password")
    assert stores[0]["collection"] == "modulestore"
    assert stores[0]["replicaSet"] is None, "a set without a name is waited for for ever"
    assert settings["CONTENTSTORE"]["ENGINE"].endswith("MongoContentStore")


def test_every_cache_is_the_portal_s_with_the_release_s_own_keys(tenant: Tenant, tmp_path: Path) -> None:
    caches = shown(load_settings(tmp_path, tenant, "lms"))["CACHES"]
    shape = SHAPES[tenant.release.name]
    prefixes = [each["KEY_PREFIX"] for name, each in caches.items() if name != "loc_cache"]
    assert len(set(prefixes)) == len(prefixes) == 3
    assert all(each.startswith("acme.") for each in prefixes)
    assert caches["celery"]["TIMEOUT"] == "7200"
    assert caches["default"]["KEY_FUNCTION"] == shape.key
    if "memcached" in tenant.services:
        # By the library that this very release has, whatever its file says.
        assert (caches["default"]["BACKEND"], caches["default"]["LOCATION"]) == (
            shape.cache,
            ["memcached:11211"],
        )
    else:
        assert caches["default"]["LOCATION"].startswith("redis://redis:")


def test_search_has_the_portal_s_server_by_whatever_name_the_release_reads(
    tenant: Tenant, tmp_path: Path
) -> None:
    """And studio puts courses into it."""
    shown_settings = shown(load_settings(tmp_path, tenant, "cms"))
    features = settings(tenant, "cms")["FEATURES"]
    assert all(features[f"ENABLE_{each}_INDEX"] for each in ("COURSEWARE", "LIBRARY"))
    if "elasticsearch" in tenant.services:
        assert shown_settings["ELASTIC_SEARCH_CONFIG"][0]["host"] == "elasticsearch"
        assert shown_settings["SEARCH_ENGINE"] == "search.elastic.ElasticSearchEngine"
    else:
        assert shown_settings["MEILISEARCH_URL"] == "http://meilisearch:7700"
        # Production takes elasticsearch's by itself, once courseware is indexed.
        assert shown_settings["SEARCH_ENGINE"] == "search.meilisearch.MeilisearchEngine"


def test_a_course_without_a_date_of_enrolment_is_found_unless_a_file_says_otherwise(
    tenant: Tenant, tmp_path: Path
) -> None:
    name = "SEARCH_SKIP_ENROLLMENT_START_DATE_FILTERING"
    assert shown(load_settings(tmp_path, tenant, "lms"))[name] is True
    assert shown(load_settings(tmp_path, tenant, "lms", {name: False}))[name] is False


def test_the_key_that_everybody_knows_opens_nothing(tenant: Tenant, tmp_path: Path) -> None:
    assert shown(load_settings(tmp_path, tenant, "lms"))["EDX_API_KEY"] is None
    assert shown(load_settings(tmp_path, tenant, "lms", {"EDX_API_KEY": "own"}))["EDX_API_KEY"] == "own"


def test_studio_is_called_so_unless_a_file_says_otherwise(tenant: Tenant, tmp_path: Path) -> None:
    assert shown(load_settings(tmp_path, tenant, "cms"))["STUDIO_NAME"] == "Studio"
    assert (
        shown(load_settings(tmp_path, tenant, "cms", {"STUDIO_NAME": "Atelier"}))["STUDIO_NAME"] == "Atelier"
    )


def test_front_ends_may_call_and_show_the_name_and_logo_that_admins_have_changed(
    tenant: Tenant, tmp_path: Path
) -> None:
    more = {
        "PLATFORM_NAME": "Acme Abroad",
        "LOGO_URL": "/media/logo.png",
        "FAVICON_URL": "https://x.example/f.ico",
    }
    settings = shown(load_settings(tmp_path, tenant, "lms", more))
    if "mfe" not in tenant.services:
        assert not settings.get("MFE_CONFIG")
        return
    front_end = settings["MFE_CONFIG"]
    assert front_end["SITE_NAME"] == "Acme Abroad"
    assert front_end["LOGO_URL"] == "http://acme.localhost:8081/media/logo.png"
    assert front_end["FAVICON_URL"] == "https://x.example/f.ico"
    assert front_end["LMS_BASE_URL"] == "http://acme.localhost:8081"
    old = SHAPES[tenant.release.name].django < "(4"
    assert settings["CSRF_TRUSTED_ORIGINS"] == [
        ("" if old else "http://") + f"{host}acme.localhost:8081" for host in ("", "studio.", "apps.")
    ]


def test_tokens_are_signed_by_a_key_of_the_portal_s_own(tenant: Tenant, tmp_path: Path) -> None:
    one, other = (shown(load_settings(tmp_path, tenant, each)) for each in ("lms", "cms"))
    keys = ("JWT_PRIVATE_SIGNING_JWK", "JWT_PUBLIC_SIGNING_JWK_SET")
    assert [one["JWT_AUTH"][key] for key in keys] == [other["JWT_AUTH"][key] for key in keys]
    changed = shown(load_settings(tmp_path, tenant, "lms", {"JWT_SIGNING_SEED": "another"}))
    assert changed["JWT_AUTH"][keys[0]] != one["JWT_AUTH"][keys[0]]
    [public] = json.loads(one["JWT_AUTH"][keys[1]])["keys"]
    assert "d" not in public
    assert json.loads(one["JWT_AUTH"][keys[0]]).keys() - public.keys() == {"d"}
    assert one["JWT_AUTH"]["JWT_ISSUER"] == "http://acme.localhost:8081/oauth2"
    assert one["JWT_AUTH"]["JWT_EXPIRATION"] == 30
    assert "JWT_SIGNING_SEED" not in one


def test_cookies_are_taken_over_plain_http(tenant: Tenant, tmp_path: Path) -> None:
    settings = shown(load_settings(tmp_path, tenant, "lms"))
    assert (settings["SESSION_COOKIE_SAMESITE"], settings["SESSION_COOKIE_SECURE"]) == ("Lax", False)
    assert settings["OAUTH_ENFORCE_SECURE"] is False
    old = SHAPES[tenant.release.name].django < "(4"
    assert settings["CSRF_TRUSTED_ORIGINS"][0] == ("" if old else "http://") + "acme.localhost:8081"
    assert settings["ALLOWED_HOSTS"] == ["acme.localhost", "lms", "preview.acme.localhost"]


def test_uploads_and_reports_are_on_the_drive_and_reports_are_no_media(
    tenant: Tenant, tmp_path: Path
) -> None:
    settings = shown(load_settings(tmp_path, tenant, "lms"))
    assert settings["PROFILE_IMAGE_BACKEND"]["options"]["location"] == "/openedx/media/profile-images/"
    reports = settings["GRADES_DOWNLOAD"]["STORAGE_KWARGS"]
    assert reports == {"location": "/openedx/media/private/reports", "base_url": "/portal/reports/"}
    assert settings["MIDDLEWARE"][-1] == "portal_settings.pages.Reports"
    assert settings["STATIC_ROOT"] == "/openedx/staticfiles"
    assert settings["WEBPACK_LOADER"]["DEFAULT"]["STATS_FILE"] == "/openedx/staticfiles/webpack-stats.json"
    studio = shown(load_settings(tmp_path, tenant, "cms"))
    assert studio["STATIC_ROOT"] == "/openedx/staticfiles/studio"
    assert studio["STATIC_URL"] == "/static/studio/"
    assert "portal_settings.pages.Reports" not in studio["MIDDLEWARE"]


def test_there_is_one_database_and_no_code_of_courses_runs(tenant: Tenant, tmp_path: Path) -> None:
    settings = shown(load_settings(tmp_path, tenant, "cms"))
    assert settings["DATABASE_ROUTERS"] == ["another"]
    assert settings["INSTALLED_APPS"] == ["student", "last"]
    assert settings["CODE_JAIL"]["python_bin"] == "/nonexistent/python"
    assert settings["(jail)"] == ["(('python', '/nonexistent/python'), {'user': None})"]


@pytest.mark.parametrize("variant", openedx.VARIANTS)
def test_no_course_runs_programs_without_a_jail_whatever_a_file_says(
    tenant: Tenant, tmp_path: Path, variant: str
) -> None:
    settings = shown(load_settings(tmp_path, tenant, variant, {"COURSES_WITH_UNSAFE_CODE": [".*"]}))
    assert settings["COURSES_WITH_UNSAFE_CODE"] == []


@pytest.mark.parametrize(
    ("line", "early"),
    [
        ("import codejail.safe_exec\n", True),
        ("import codejail.safe_exec\ncodejail.safe_exec.ALWAYS_BE_UNSAFE = True\n", False),
    ],
    ids=["imported before there was a jail", "told to be unsafe"],
)
def test_an_lms_whose_programs_would_run_without_a_jail_does_not_start(
    tenant: Tenant, tmp_path: Path, line: str, early: bool
) -> None:
    done = load_settings(tmp_path, tenant, "lms", common=line)
    if early and not SHAPES[tenant.release.name].decides:
        shown(done)
        return
    assert (done.returncode, done.stdout) == (78, "")
    assert "openedx: settings: CODE_JAIL: " in done.stderr


def test_drafts_are_at_the_one_host_at_which_staff_alone_are_let_in(tenant: Tenant, tmp_path: Path) -> None:
    settings = shown(
        load_settings(tmp_path, tenant, "lms", {"HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS": {"acme": "draft"}})
    )
    [(key, branch)] = settings["HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS"].items()
    assert branch == "draft-preferred"
    for host in ("preview.acme.localhost", "preview.acme.localhost:8081"):
        assert re.match(key, host), host
    for host in (
        "preview.acme.localhost.", "preview.acme.localhost.:8081", "preview.acme.localhost.example.com", "acme.localhost",
        "preview-acme.localhost", "preview.acme.localhost:8081.", "x.preview.acme.localhost", "PREVIEW.acme.localhost",
    ):  # fmt: skip
        assert not re.match(key, host), host
    assert "HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS" not in shown(load_settings(tmp_path, tenant, "cms"))


@pytest.mark.parametrize("variant", openedx.VARIANTS)
def test_what_a_file_says_of_the_branch_does_not_show_drafts(
    tenant: Tenant, tmp_path: Path, variant: str
) -> None:
    settings = shown(load_settings(tmp_path, tenant, variant, {"MODULESTORE_BRANCH": "another"}))
    assert settings["MODULESTORE_BRANCH"] == ("published-only" if variant == "lms" else "draft-preferred")


@pytest.mark.parametrize("variant", openedx.VARIANTS)
def test_all_that_the_module_makes_is_refused_in_a_tenant_s_file_or_open_to_it(
    tenant: Tenant, tmp_path: Path, variant: str
) -> None:
    settings = shown(load_settings(tmp_path, tenant, variant))
    placeholders = {name for name in settings["(changed)"] if name.endswith("_EMAIL")}
    # Of the one the module makes the keys and names alone; the other it takes away where it is the release's own.
    merged = {"JWT_AUTH", "EDX_API_KEY", "MFE_CONFIG"}
    assert set(settings["(changed)"]) - placeholders - merged <= PROTECTED_LAYER | SETTINGS_MODULE | set(
        settings["(open)"]
    )


def test_logs_are_the_container_s_output_and_masked(tenant: Tenant, tmp_path: Path) -> None:
    logging = shown(load_settings(tmp_path, tenant, "lms"))["LOGGING"]
    assert set(logging["handlers"]) == {"console", "tracking"}
    assert {each["stream"] for each in logging["handlers"].values()} == {"ext://sys.stdout"}
    assert all(each["filters"][-1] == "masked" for each in logging["handlers"].values())
    assert logging["loggers"][""]["handlers"] == ["console"]


@pytest.mark.parametrize("variant", openedx.VARIANTS)
def test_no_request_is_in_the_log_of_events_whatever_a_file_says(
    tenant: Tenant, tmp_path: Path, variant: str
) -> None:
    settings = shown(load_settings(tmp_path, tenant, variant, {"TRACKING_IGNORE_URL_PATTERNS": ["^/none"]}))
    for path in ("/oauth2/access_token", "/", ""):
        assert any(re.match(each, path) for each in settings["TRACKING_IGNORE_URL_PATTERNS"])


def test_features_are_looked_up_where_django_looks(tenant: Tenant, tmp_path: Path) -> None:
    settings = shown(load_settings(tmp_path, tenant, "lms"))
    assert settings["(features are of this module)"] is SHAPES[tenant.release.name].proxy


def test_a_name_that_the_release_does_not_know_is_told(tenant: Tenant, tmp_path: Path) -> None:
    done = load_settings(
        tmp_path, tenant, "lms", {"EDXAPP_TYPO": 1, "COMPLETION_DELAY": 2}, "COMPLETION_DELAY = 1\n"
    )
    shown(done)
    [reported] = [line for line in done.stderr.splitlines() if line.startswith("openedx: ")]
    assert "EDXAPP_TYPO" in reported
    assert not re.search(r"COMPLETION_DELAY|\bADMIN\b|BRAND_COLORS|LMS_BASE|ALLOWED_HOSTS", reported)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"CACHES": ["memcached"]}, "CACHES: found a list, this release expects a mapping"),
        ({"SESSION_COOKIE_AGE": "long"}, "SESSION_COOKIE_AGE: found a text, this release expects a number"),
        ({"FEATURES": {"X": "yes"}}, "FEATURES/X: found a text, this release expects true or false"),
        ({"JWT_SIGNING_SEED": ""}, "JWT_SIGNING_SEED: is missing, expected the secret of that name"),
    ],
)
def test_a_setting_of_another_shape_ends_it_at_once(
    tenant: Tenant, tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    """78 is what the supervisor takes for settings that are wrong: nothing that runs ends for it."""
    if "FEATURES" in more:
        more = {"FEATURES": {**settings(tenant, "lms")["FEATURES"], **more["FEATURES"]}}
    done = load_settings(tmp_path, tenant, "lms", more)
    assert (done.returncode, done.stdout) == (78, "")
    assert f"openedx: settings: {words}\n" in done.stderr


@pytest.mark.parametrize("path", sorted((HOME / "portal_settings").glob("*.py")), ids=lambda path: path.name)
def test_the_oldest_image_s_python_reads_it(path: Path) -> None:
    ast.parse(path.read_text(), path.name, feature_version=(3, 5))
