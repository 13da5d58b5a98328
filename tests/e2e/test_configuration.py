"""The role itself, by real Ansible in the image: whatever the overrides say, what is the operator's stays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from config.openedx import settings_files
from config.tenant import Tenant
from tests.e2e import inside
from tests.e2e.ground import ground
from tests.e2e.image_trial import Box
from tests.programs import TENANTS

pytestmark = pytest.mark.e2e

# Each is a run of Ansible, 1 to 2 s.
EXAMPLES = 12
# Past the checks of names: merge and verification alone must hold. Prints the four files.
SCRIPT = """
import json, sys, tempfile
from pathlib import Path
from configuration import rendering
from configuration.places import Places
with tempfile.TemporaryDirectory() as folder:
    output = Path(folder)
    rendering.run_ansible(Places(), json.loads(sys.argv[1]), output)
    rendering.verify(output, rendering.protected(Places()))
    print(json.dumps({each.name: [each.read_text(), oct(each.stat().st_mode)] for each in output.iterdir()}))
"""
PYTHON = "/opt/configuration/venv/bin/python"
HOSTILE = st.sampled_from(
    [
        "{{ lookup('pipe', 'id') }}",
        "{% for x in range(9) %}x{% endfor %}",
        "secret:edxapp-secret-key",
        "{{ PORTAL_PROTECTED_AUTH }}",
        "off",
        "1e400",
        "2024-01-31",
        "é\u2028\U0001f600",
    ]
)
KEYS = st.sampled_from(
    ["DATABASES", "SECRET_KEY", "LMS_BASE", "CACHES", "EMAIL_HOST", "MEDIA_ROOT", "NOTE", "FEATURES"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | HOSTILE | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=5,
)
OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "EDXAPP_PLATFORM_NAME": HOSTILE,
        "EDXAPP_ENV_EXTRA": st.dictionaries(KEYS, VALUES, max_size=3),
        "EDXAPP_LMS_ENV_EXTRA": st.dictionaries(KEYS, VALUES, max_size=3),
        "EDXAPP_FEATURES": st.dictionaries(KEYS, VALUES, max_size=3),
        "EDXAPP_MYSQL_HOST": HOSTILE,
        "openedx_files": st.dictionaries(st.just("lms.env.json"), st.just({"LMS_BASE": "evil"})),
    },
)


@dataclass(frozen=True, kw_only=True)
class Role:
    """A container of the image, and what the operator protects in it."""

    # Hypothesis shows what a test was given.
    box: Box = field(repr=False)
    protected: dict[str, Any] = field(repr=False)

    def python(self, *words: str) -> tuple[int, str]:
        """The exit code of the image's own Python, and what it said."""
        return inside.run(self.box.client, self.box.name, PYTHON, "-I", *words)


@pytest.fixture(scope="module")
def role() -> Iterator[Role]:
    """A container that waits."""
    given_files = settings_files(Tenant.load("acme", TENANTS))
    with ground(["configuration"]) as client:
        made = Box(
            client=client,
            name="c-configuration",
            role="configuration",
            user="1000",
            memory=256,
            entrypoint=("sleep", "infinity"),
            files={**given_files, "/portal/render.py": SCRIPT},
        )
        made.create().start()
        yield Role(box=made, protected=json.loads(given_files["/portal/config/protected.yml"]))
        made.remove()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    # To shrink a finding would take a hundred runs more.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(overrides=OVERRIDES)
@example(overrides={})
@example(overrides={"EDXAPP_ENV_EXTRA": {"LMS_BASE": "evil", "DATABASES": {"other": {}}, "NOTE": None}})
@example(overrides={"EDXAPP_PLATFORM_NAME": "{{ lookup('pipe', 'id') }}"})
@example(overrides={"openedx_files": {"lms.env.json": {"LMS_BASE": "evil"}}})
def test_whatever_the_overrides_say_the_operators_settings_stay(
    role: Role, overrides: dict[str, Any]
) -> None:
    code, said = role.python("/portal/render.py", json.dumps(overrides))
    if code:
        # Refused as a whole: the settings in force are untouched.
        assert "AnsibleError" in said or "Refusal" in said, said
        return
    files = json.loads(said.strip().splitlines()[-1])
    assert sorted(files) == ["cms.auth.json", "cms.env.json", "lms.auth.json", "lms.env.json"]
    for name, (text, mode) in files.items():
        variant, kind, _ = name.split(".")
        told = json.loads(text)
        owned = role.protected[f"PORTAL_PROTECTED_{kind.upper()}"][variant]
        assert {key: told[key] for key in owned} == owned
        assert mode == "0o100640"
        if kind == "auth":
            assert set(told) == set(owned)
        else:
            assert told["PLATFORM_NAME"] == overrides.get("EDXAPP_PLATFORM_NAME", "Acme Academy")


def test_what_a_start_costs_with_and_without_ansible(role: Role) -> None:
    """A hash decides whether Ansible runs: printed, since it is what a start would pay."""
    script = (
        "import time, json;from pathlib import Path;from configuration.keeper import Keeper;"
        "from configuration.places import Places;from configuration import rendering;"
        "p = Places(overrides=Path('/tmp/o'), rendered=Path('/tmp/r'), settings=Path('/tmp/s'));"
        "[each.mkdir() for each in (p.overrides, p.rendered, p.settings)];a = time.time();"
        "found = Keeper(p).settle();b = time.time();rendering.take(p, Keeper(p).settle().folder);"
        "print(json.dumps([b - a, time.time() - b]))"
    )
    code, said = role.python("-c", script)
    assert code == 0, said
    first, again = json.loads(said.strip().splitlines()[-1])
    print(f"\nwith Ansible {first:.2f} s, without {again:.3f} s")
    assert again < first / 5
