"""Open edX's own features and settings in a tenant's file; what is refused there stands in data/bad-tenants.txt."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from config.portal.openedx import protected_auth, protected_env, settings_files
from config.reading.errors import ConfigError
from config.releases.release import Releases
from config.tenant.own_settings import PROTECTED_LAYER, SETTINGS_MODULE
from config.tenant.tenant import Tenant
from tests.programs import ROOT, TENANTS
from tests.unit.config.bad_files import DATA

GOOD = (DATA / "tenants" / "good.yaml").read_text()


def test_they_are_read_as_json_has_them(tmp_path: Path) -> None:
    folder = tmp_path / "tenants"
    folder.mkdir()
    (folder / "good.yaml").write_text(
        GOOD + "features: {ENABLE_MOBILE_REST_API: true, LIMIT: -3}\n"
        "settings:\n  LOGIN_REDIRECT_WHITELIST: [acme.com, 'yes', \"010\"]\n  RATE: 0.5\n  NONE: null\n"
        "  DEEP: {a: {secret: mysql-edxapp-password}, b: 'secret:x'}\n"
    )
    tenant = Tenant.load("good", folder)
    assert tenant.features == {"ENABLE_MOBILE_REST_API": True, "LIMIT": -3}
    assert tenant.settings == {
        "LOGIN_REDIRECT_WHITELIST": ["acme.com", "yes", "010"],
        "RATE": 0.5,
        "NONE": None,
        "DEEP": {"a": {"secret": "mysql-edxapp-password"}, "b": "secret:x"},
    }
    settings = json.loads(settings_files(tenant)["/portal/config/tenant.json"])
    assert settings["EDXAPP_FEATURES"] == tenant.features
    assert settings["EDXAPP_ENV_EXTRA"] == tenant.settings


NAMES = (
    st.text("ABCXYZ_019", min_size=1, max_size=20)
    .map("A".__add__)
    .filter(lambda name: name not in PROTECTED_LAYER)
)
WORDS = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20).filter(
    lambda text: text.isprintable()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_what_a_yaml_writer_writes_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, mapping: dict[str, object]
) -> None:
    folder = tmp_path_factory.mktemp("t") / "tenants"
    folder.mkdir()
    more = yaml.safe_dump({"settings": mapping}, allow_unicode=True, width=10_000)
    (folder / "good.yaml").write_text(GOOD + more)
    assert Tenant.load("good", folder).settings == mapping


@pytest.mark.parametrize("delivery", ["direct", "sink"])
def test_the_program_s_own_are_those_of_every_release(delivery: str) -> None:
    acme = Tenant.load("acme", TENANTS)
    tenants = [
        replace(acme, release=release, mail=replace(acme.mail, delivery=delivery))
        for release in Releases(ROOT / "config" / "releases").all().values()
    ]
    made = {
        name
        for each in tenants
        for protected in (protected_env(each, "lms"), protected_env(each, "cms"), protected_auth(each))
        for name in protected
    }
    assert made == PROTECTED_LAYER


def test_what_the_settings_module_makes_is_refused_and_the_rest_of_it_is_open(tmp_path: Path) -> None:
    """A line in a reviewed file that nothing obeys would be a lie."""
    text = (ROOT / "images/openedx/portal_settings/changes.py").read_text()
    [listed] = re.findall(r"^TENANT_MAY_SET = \(\n((?:    \"\w+\",\n)+)\)", text, re.M)
    openly = set(re.findall(r"\w+", listed))
    assert not openly & (SETTINGS_MODULE | PROTECTED_LAYER)
    assert all(f'"{name}"' in text for name in SETTINGS_MODULE)
    folder = tmp_path / "tenants"
    folder.mkdir()
    keys = "".join(f"  {name}: draft-preferred\n" for name in sorted(SETTINGS_MODULE))
    (folder / "good.yaml").write_text(f"{GOOD}settings:\n{keys}  X_FRAME_OPTIONS: DENY\n")
    with pytest.raises(ConfigError) as refused:
        Tenant.load("good", folder)
    assert sorted(refused.value.findings) == [
        f"tenants/good.yaml: settings/{name}: is set by the program, expected nothing: remove it"
        for name in sorted(SETTINGS_MODULE)
    ]


def test_what_readers_take_differently_is_refused_at_any_depth(tmp_path: Path) -> None:
    folder = tmp_path / "tenants"
    folder.mkdir()
    (folder / "good.yaml").write_text(GOOD + "settings: {NOTE: {a: [2024-01-31]}, RATE: 1e5, HEX: .inf}\n")
    with pytest.raises(ConfigError) as raised:
        Tenant.load("good", folder)
    assert raised.value.findings == (
        "tenants/good.yaml: settings/NOTE: found the date 2024-01-31, expected text in quotes ('2024-01-31'), "
        "true, false, null or a number in plain digits",
        "tenants/good.yaml: settings/HEX: found the number .inf, expected text in quotes ('.inf'), "
        "true, false, null or a number in plain digits",
    )
