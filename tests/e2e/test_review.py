"""Ten kinds of change, each shown by a preview of its pull request, then brought up: promised and happened are the same."""

import json
import shutil
from collections.abc import Iterator
from difflib import unified_diff

import pytest

from automation.review.tenant_review import AT_RISK
from testbed.checkout import Checkout, temporary_checkout
from testbed.light import replace_recipes
from testbed.objects import Objects
from tests.unit.automation.review import kinds
from tests.unit.automation.review.kinds import ALDER, COMMENTS, KINDS, NUMBERS, ROWAN, Kind, steady
from tests.unit.automation.review.repository import commit, git

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def shared(objects: Objects) -> Iterator[Checkout]:
    """A checkout with light images that came from a bare repository, its two portals up."""
    with temporary_checkout("e2e-review", NUMBERS, objects) as made:
        replace_recipes(made.folder / "images")
        for name in (ROWAN, ALDER):
            kinds.write(made.folder, name, kinds.tenant(name, drive=str(made.drive)))
        git(made.base, "init", "--quiet", "--initial-branch", "main", str(made.folder))
        # As every tenant's settings that the CLI writes: they belong to the one who has the passphrase.
        (made.folder / ".git" / "info" / "exclude").write_text("tenants/Pulumi.*.yaml\n")
        commit(made.folder, "The portals")
        git(made.base, "clone", "--quiet", "--bare", str(made.folder), "shared.git")
        git(made.folder, "remote", "add", "origin", str(made.base / "shared.git"))
        git(made.folder, "fetch", "--quiet", "origin")
        ran = made.portal("up", ROWAN, ALDER, "--json")
        assert ran.code == 0, f"{ran}\n{ran.out}"
        yield made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_promised_and_happened_are_the_same(kind: Kind, shared: Checkout, objects: Objects) -> None:
    git(shared.folder, "switch", "--quiet", "--create", kind.name)
    kind.edit(shared.folder)
    commit(shared.folder, kind.title)
    is_risky = "**Blocked**" in (COMMENTS / f"{kind.name}.md").read_text()

    words = ("preview", "--changed-since", "origin/main")
    shown = shared.portal(*words, "--markdown")
    assert shown.code == (AT_RISK if is_risky else 0), str(shown)
    if is_risky:
        assert shared.portal(*words, "--markdown", "--allow", "data-loss").code == 0
    # On this machine's own engine the reviewer sees what the test without an engine says, word for word.
    comment = steady(shown.out.replace(str(shared.drive), kinds.DRIVE))
    expected = (COMMENTS / f"{kind.name}.md").read_text()
    assert comment == expected, "\n".join(
        unified_diff(expected.splitlines(), comment.splitlines(), lineterm="")
    )

    promised = json.loads(shared.portal(*words, "--json").out)["tenants"]
    assert set(promised) == {*kind.touches, *kind.removed}
    for name in kind.removed:
        removed(shared, objects, name, promised[name])
    if kind.touches:
        brought_up(shared, kind, promised)
    git(shared.folder, "push", "--quiet", "origin", f"{kind.name}:main")
    git(shared.folder, "fetch", "--quiet", "origin")


def brought_up(shared: Checkout, kind: Kind, promised: dict[str, dict[str, object]]) -> None:
    """The engine did what was promised, nothing else, and nothing is left to do."""
    # Without a look of its own first: it is held against the pull request's preview.
    ran = shared.portal("up", *kind.touches, "--json", "--skip-preview")
    assert ran.code == 0, f"{ran}\n{ran.out}"
    facts = json.loads(ran.out)
    for name in kind.touches:
        own = facts["tenants"][name] if len(kind.touches) > 1 else facts
        happened = {each for each in steps(own["changes"]) if "pulumi:providers:" not in each[1]}
        assert happened == steps(promised[name]["changes"]), name
        assert own["deviations"] == []
        after = shared.portal("preview", name, "--json", "--refresh")
        assert after.code == 0, str(after)
        assert json.loads(after.out)["changes"] == []


def removed(shared: Checkout, objects: Objects, name: str, promised: dict[str, object]) -> None:
    """Destroyed from a checkout that still has the file: all that was promised is gone, and its data is not."""
    old = shared.base / f"with-{name}"
    git(shared.base, "clone", "--quiet", "--branch", "main", str(shared.base / "shared.git"), str(old))
    settings = f"tenants/Pulumi.{name}.yaml"
    shutil.copy2(shared.folder / settings, old / settings)
    assert objects.ids(name)
    before = shared.shell(f"pulumi stack export --stack {name}").facts()["deployment"]["resources"]
    real = [each for each in before if each["custom"] and not each["type"].startswith("pulumi:providers:")]
    assert len(real) == len(steps(promised["changes"]))
    assert {op for op, _ in steps(promised["changes"])} == {"delete"}
    destroyed = old / "portal"
    ran = shared.run(str(destroyed), "destroy", name, "--confirm", name)
    assert ran.code == 0, str(ran)
    assert not objects.ids(name)
    assert (shared.drive / name / "mysql" / "light").exists()


def steps(changes: object) -> set[tuple[str, str]]:
    """Operation and URN of each."""
    assert isinstance(changes, list)
    return {(each["op"], each["urn"]) for each in changes}
