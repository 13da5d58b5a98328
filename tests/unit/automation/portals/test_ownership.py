"""Whose a portal is: proved by ids, told by names, and never guessed."""

from pathlib import Path
from typing import Any

import pytest

from automation.portals.orphans import Orphan, by_portal, parse_owner
from automation.portals.ownership import NOBODY, NotOurs, Owner, OwnState, Side, require_ownership
from config.portal import owner
from config.portal.labels import OWNER

URN = "urn:pulumi:oak::portals::portal:index:Portal$docker:index/container:Container::"


def state(*ids: str, named: str = "") -> dict[str, Any]:
    """A state that has these containers."""
    labels = [{"label": OWNER, "value": named}] if named else []
    made = [
        {
            "type": "docker:index/container:Container",
            "urn": f"{URN}{each}",
            "id": each,
            "outputs": {"labels": labels},
        }
        for each in ids
    ]
    return {"deployment": {"resources": [{"type": "random:index/randomPassword:RandomPassword"}, *made]}}


EMPTY: dict[str, Any] = {"deployment": {}}


@pytest.mark.parametrize(
    ("states", "ids", "names", "side"),
    [
        # A state that has one of the ids has made it, named or not.
        ({"oak": state("a", "b")}, ["b", "x"], [], Side.OURS),
        ({}, ["a"], ["ops@one-1"], Side.OURS),
        # A state that came from another backend keeps what its containers say.
        ({"oak": state("a", named="ops@old-9")}, ["a"], ["ops@old-9"], Side.OURS),
        # Another's name is another's portal: of that name here, too, and on a drive that both have used.
        ({}, ["a"], ["ops@two-2"], Side.OTHERS),
        ({"oak": state("a")}, ["a"], ["ops@one-1", "ops@two-2"], Side.OTHERS),
        ({"oak": state("a")}, [], ["ops@two-2"], Side.OTHERS),
        # Of the same name, but not what this state has made.
        ({"oak": state("a")}, ["x"], [], Side.UNKNOWN),
        ({}, ["x"], [], Side.UNKNOWN),
        ({}, [], [], Side.UNKNOWN),
        # An empty stack is no proof: looking at a portal makes one.
        ({"oak": EMPTY}, ["x"], [], Side.UNKNOWN),
        # Taken down, or interrupted before its first container was recorded.
        ({"oak": state()}, [], [], Side.OURS),
        ({"oak": state()}, ["x"], [], Side.OURS),
    ],
)
def test_whose_a_portal_is(states: dict[str, Any], ids: list[str], names: list[str], side: Side) -> None:
    assert OwnState(name="ops@one-1", states=states).judge("oak", ids, names).side is side


def test_only_ours_is_purged_unless_somebody_answers_for_it_by_name() -> None:
    require_ownership("oak", Owner(side=Side.OURS, name="ops@one-1"), "")
    others = Owner(side=Side.OTHERS, name="ops@two-2")
    with pytest.raises(NotOurs, match="belongs to another state, ops@two-2; nothing was removed"):
        require_ownership("oak", others, "")
    with pytest.raises(NotOurs):
        require_ownership("oak", others, NOBODY)
    require_ownership("oak", others, "ops@two-2")
    unknown = Owner(side=Side.UNKNOWN)
    with pytest.raises(NotOurs, match=f"--owner {NOBODY}"):
        require_ownership("oak", unknown, "")
    require_ownership("oak", unknown, NOBODY)


def test_orphans_are_one_row_a_portal_with_whose_it_is() -> None:
    parts = [
        Orphan(kind="container", name="oak-lms", tenant="oak", id="a", owner=""),
        Orphan(kind="container", name="oak-storage-init", tenant="oak", id="b", owner="ops@two-2"),
        Orphan(kind="network", name="oak-private", tenant="oak", id="c"),
        Orphan(kind="directory", name="/srv/portals/elm", tenant="elm", where="/srv/portals"),
        Orphan(kind="directory", name="/srv/portals/.purged-elm", tenant="elm", where="/srv/portals"),
    ]
    elm, half, oak = by_portal(parts, OwnState(name="ops@one-1", states={}))
    assert (oak.what, str(oak.owner)) == ("2 containers, 1 network", "ops@two-2")
    assert "./portal purge" not in oak.remedy
    assert (elm.what, str(elm.owner)) == ("1 directory", "unknown")
    assert elm.remedy.endswith("(with --owner unknown)")
    assert "rm -rf /srv/portals/.purged-elm" in half.remedy


def test_what_a_directory_says_of_its_owner() -> None:
    assert parse_owner("./a b/.portal/owner", "ops@two-2") == ("a b", "ops@two-2")
    # Nobody's words reach a terminal or decide anything.
    assert parse_owner("./oak/.portal/owner", "\x1b[31mops") == ("oak", "")
    assert parse_owner("./oak/.portal/owner", "") == ("oak", "")


def test_a_file_backend_is_named_once(tmp_path: Path) -> None:
    environ = {"PULUMI_BACKEND_URL": f"{tmp_path.as_uri()}?metadata=skip"}
    assert owner.of_backend(environ) == ""
    owner.make(tmp_path, "Jürgen X@host")
    named = owner.of_backend(environ)
    assert named.startswith("J-rgen-X@host-")
    owner.make(tmp_path, "somebody@else")
    assert owner.of_backend(environ) == named
    assert [each.name for each in tmp_path.iterdir()] == [owner.FILE]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("s3://bucket/portals/?region=eu-central-1&endpoint=x", "s3://bucket/portals"),
        (
            "postgres://ops:tr0ub4dor@db.example:5432/states?sslmode=require",
            "postgres://db.example:5432/states",
        ),
        ("https://api.pulumi.com", "https://api.pulumi.com"),
        ("", ""),
        ("s3://bucket/a b", ""),
    ],
)
def test_other_backends_are_named_by_their_url_without_what_is_secret(url: str, name: str) -> None:
    assert owner.of_backend({"PULUMI_BACKEND_URL": url}) == name
