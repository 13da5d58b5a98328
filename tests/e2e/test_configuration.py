"""The role itself, by real Ansible in the image: no text of others is evaluated, and what is the operator's stays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from config.portal.openedx import settings_files
from config.tenant.tenant import Tenant
from testbed import container_exec
from tests.e2e.image_engine import engine_with_images
from tests.e2e.image_trial import ImageContainer
from tests.e2e.templates import EVALUATED, MARK
from tests.programs import TENANTS

pytestmark = pytest.mark.e2e

# Each is a run of Ansible, 1 to 2 s, with a dozen texts.
EXAMPLES = 12
# Past the checks of names: layers alone must hold. Prints the four files, and what hostile text has left behind.
SCRIPT = """
import json, sys, tempfile
from pathlib import Path
from configurator import rendering
from configurator.paths import Paths
told = json.load(sys.stdin)
with tempfile.TemporaryDirectory() as folder:
    own = {name: Path(folder) / name for name in ("layers", "overrides", "rendered", "settings")}
    for each in own.values():
        each.mkdir()
    for path, text in told["files"].items():
        (own["layers"] / Path(path).name).write_text(text, encoding="utf-8")
    paths = Paths(**own)
    rendering.install_settings(paths, rendering.ensure_rendered(paths, told["overrides"]))
    files = {each.name: [each.read_text(), oct(each.stat().st_mode)] for each in own["settings"].iterdir()}
    ran = [str(each) for each in (*Path("/tmp").glob(told["mark"] + "*"), *Path(folder).rglob(told["mark"] + "*"))]
    print(json.dumps({"files": files, "ran": ran}))
"""
PYTHON = "/opt/configuration/venv/bin/python"
HOSTILE = st.sampled_from(EVALUATED) | st.sampled_from(
    ["secret:mysql-edxapp-password", "off", "1e400", "2024-01-31", "é\u2028\U0001f600", "\ue0000\ue001"]
)
KEYS = HOSTILE | st.sampled_from(["DATABASES", "SECRET_KEY", "LMS_BASE", "CACHES", "NOTE", "secret"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | HOSTILE | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=5,
)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=4)
# Open edX's name of each setting → the role's variable, for every place that a text can stand in.
TEXTS = {
    "PLATFORM_NAME": "EDXAPP_PLATFORM_NAME",
    "PLATFORM_DESCRIPTION": "EDXAPP_PLATFORM_DESCRIPTION",
    "CONTACT_EMAIL": "EDXAPP_CONTACT_EMAIL",
    "LANGUAGE_CODE": "EDXAPP_LANGUAGE_CODE",
    "LOGO_URL": "PORTAL_LOGO_URL",
    "CUSTOM_CERT_ISSUER": "PORTAL_CUSTOM_CERT_ISSUER",
}
OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(TEXTS.values(), HOSTILE | st.text(max_size=20)),
        "EDXAPP_MKTG_URLS": MAPPINGS,
        "EDXAPP_FEATURES": MAPPINGS,
        "EDXAPP_ENV_EXTRA": MAPPINGS,
        "EDXAPP_LMS_ENV_EXTRA": MAPPINGS,
        "PORTAL_HEADER_NAVIGATION_LINKS": st.lists(MAPPINGS, max_size=2),
    },
)
SECRETS = {"mysql-edxapp-password": "generated-mysql", "edxapp-secret-key": "generated-key"}


@dataclass(frozen=True, kw_only=True)
class Role:
    """A container of the image, and the tenant that is configured in it."""

    # Hypothesis shows what a test was given.
    box: ImageContainer = field(repr=False)
    tenant: Tenant = field(repr=False)

    def python(self, *words: str) -> tuple[int, str]:
        """The exit code of the image's own Python, and what it said."""
        return container_exec.run(self.box.client, self.box.name, PYTHON, "-I", *words)

    def settings(self, tenant: Tenant, overrides: dict[str, Any]) -> dict[str, Any]:
        """The four files by name, each with its mode; and what ran, as `ran`."""
        settings_json = json.dumps({"files": settings_files(tenant), "overrides": overrides, "mark": MARK})
        # As an argument: texts may be anything but a NUL, which JSON has as an escape.
        code, output = self.python(
            "-c", f"import io, sys; sys.stdin = io.StringIO(sys.argv[1])\n{SCRIPT}", settings_json
        )
        assert code == 0, output
        settings: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
        return settings


@pytest.fixture(scope="module")
def role() -> Iterator[Role]:
    """A container that waits."""
    tenant = Tenant.load("acme", TENANTS)
    with engine_with_images(["configuration"]) as client:
        made = ImageContainer(
            client=client,
            name="c-configuration",
            role="configuration",
            user="61000",
            memory=256,
            entrypoint=("sleep", "infinity"),
            files={
                **settings_files(tenant),
                **{f"/run/secrets/{name}": text for name, text in SECRETS.items()},
            },
        )
        made.create().start()
        yield Role(box=made, tenant=tenant)
        made.remove()


def over(under: Any, upper: Any) -> Any:
    """Mappings merged by key, of anything else the upper wins."""
    if not (isinstance(under, dict) and isinstance(upper, dict)):
        return upper
    return {**under, **{key: over(under[key], each) if key in under else each for key, each in upper.items()}}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    # To shrink a finding would take a hundred runs more.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(overrides=OVERRIDES, title=HOSTILE | st.text(min_size=1, max_size=20), own=MAPPINGS)
@example(overrides={}, title="Akademie \U0001f393", own={})
@example(overrides={"EDXAPP_ENV_EXTRA": {"LMS_BASE": "evil", "DATABASES": {"other": {}}}}, title="a", own={})
@example(overrides={"EDXAPP_FEATURES": {each: each for each in EVALUATED}}, title=EVALUATED[0], own={})
@example(
    overrides={"EDXAPP_LMS_ENV_EXTRA": {each: [each] for each in EVALUATED}}, title="a", own={"secret": "x"}
)
@example(
    overrides={
        **dict(zip(TEXTS.values(), EVALUATED, strict=False)),
        "EDXAPP_MKTG_URLS": {each: {"secret": "edxapp-secret-key"} for each in EVALUATED},
        "PORTAL_HEADER_NAVIGATION_LINKS": [{each: each} for each in EVALUATED],
    },
    title="secret:edxapp-secret-key",
    own={each: each for each in EVALUATED},
)
def test_every_text_comes_out_letter_by_letter_and_none_is_evaluated(
    role: Role, overrides: dict[str, Any], title: str, own: dict[str, Any]
) -> None:
    tenant = replace(role.tenant, title=title, features=own, settings=own)
    rendered = role.settings(tenant, overrides)
    assert rendered["ran"] == []
    assert sorted(rendered["files"]) == ["cms.auth.json", "cms.env.json", "lms.auth.json", "lms.env.json"]
    given_files = settings_files(tenant)
    protected = json.loads(given_files["/portal/config/protected.json"])
    features = json.loads(given_files["/portal/config/release.json"])["EDXAPP_FEATURES"]
    for variant in ("lms", "cms"):
        env, auth = (json.loads(rendered["files"][f"{variant}.{kind}.json"][0]) for kind in ("env", "auth"))
        assert rendered["files"][f"{variant}.env.json"][1] == "0o100640"
        # What is the operator's is whole, and passwords stand where the operator has them and nowhere else.
        owned = {**protected["env"][variant], **protected["auth"][variant]}
        assert {key: env[key] for key in protected["env"][variant]} == protected["env"][variant]
        assert set(auth) <= set(protected["auth"][variant])
        assert auth["DATABASES"]["default"]["PASSWORD"] == SECRETS["mysql-edxapp-password"]
        assert auth["SECRET_KEY"] == SECRETS["edxapp-secret-key"]
        assert not [text for text in SECRETS.values() if text in json.dumps(env)]
        # What is others' is as they wrote it.
        extra = over(own, overrides.get("EDXAPP_ENV_EXTRA", {}))
        if variant == "lms":
            extra = {**extra, **overrides.get("EDXAPP_LMS_ENV_EXTRA", {})}
        assert {key: env[key] for key in extra if key not in owned} == {
            key: each for key, each in extra.items() if key not in owned
        }
        expected = {
            "PLATFORM_NAME": title,
            "CONTACT_EMAIL": tenant.admin.email,
            **{key: overrides[name] for key, name in TEXTS.items() if name in overrides},
            "MKTG_URLS": overrides.get("EDXAPP_MKTG_URLS", {}),
            "HEADER_NAVIGATION_LINKS": overrides.get("PORTAL_HEADER_NAVIGATION_LINKS", []),
        }
        assert {key: env[key] for key in expected} == expected
        # The role's own templates are evaluated: one variable's default is another.
        assert env["BUGS_EMAIL"] == expected["CONTACT_EMAIL"]
        merged = over(over(features, own), overrides.get("EDXAPP_FEATURES", {}))
        assert {key: env["FEATURES"][key] for key in merged} == merged
        assert env["FEATURES"]["ENABLE_THIRD_PARTY_AUTH"] is False


def test_what_a_start_costs_with_and_without_ansible(role: Role) -> None:
    """A hash decides whether Ansible runs: printed, since it is what a start would pay."""
    script = (
        "import time, json;from pathlib import Path;from configurator.overrides import Overrides;"
        "from configurator.paths import Paths;from configurator import rendering;"
        "p = Paths(overrides=Path('/tmp/o'), rendered=Path('/tmp/r'), settings=Path('/tmp/s'));"
        "[each.mkdir() for each in (p.overrides, p.rendered, p.settings)];a = time.time();"
        "found = Overrides(p).update();b = time.time();rendering.install_settings(p, Overrides(p).update().folder);"
        "print(json.dumps([b - a, time.time() - b]))"
    )
    code, output = role.python("-c", script)
    assert code == 0, output
    first, again = json.loads(output.strip().splitlines()[-1])
    print(f"\nwith Ansible {first:.2f} s, without {again:.3f} s")
    assert again < first / 5
