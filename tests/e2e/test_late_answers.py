"""An engine that answers later than anybody waits: what it makes all the same is in no state, and does not stay."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.portal.labels import TENANT
from testbed.command_result import CommandResult
from testbed.light import LightPortals
from testbed.trial import Trial
from tests.e2e.proxy import LateAnswers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LateAnswers]:
    """The way to the engine of every command here."""
    with LateAnswers(tmp_path / "late.sock", silent=getattr(request, "param", False)) as proxy:
        yield proxy


def run(trial: Trial, way: LateAnswers, verb: str = "up") -> CommandResult:
    """A command by that way, whatever its exit code."""
    return trial.checkout.portal(verb, trial.name, "--json", DOCKER_HOST=way.address)


def unknown(fleet: LightPortals, trial: Trial) -> set[str]:
    """Names of what the engine has of a portal and its state does not know."""
    there = [
        *((each["Id"], each["Name"].lstrip("/")) for each in trial.objects.containers(trial.name).values()),
        *((each["Id"], each["Name"]) for each in trial.objects.networks(trial.name)),
        *((each["Name"], each["Name"]) for each in trial.objects.volumes(trial.name)),
    ]
    known = fleet.names_in_state(trial.name)
    return {name.removeprefix(f"{trial.name}-") for identity, name in there if identity not in known}


def creation(kind: str, name: str) -> str:
    """The pattern of the request that creates something."""
    if kind == "container":
        return rf"/containers/create\?(.*&)?name={name}[& ]"
    return rf'/{kind}s/create[? ].*\n.*"Name": "{name}"'


def test_what_an_engine_makes_unheard_does_not_stay(fleet: LightPortals, way: LateAnswers) -> None:
    """Within the run or after it, a container or a volume; what another has made at that moment is not touched."""
    aspen, client = fleet.trial(1), fleet.objects.client
    way.lose_answer(creation("container", f"{aspen.name}-memcached"))
    way.lose_answer(creation("volume", f"{aspen.name}-redis"))
    way.keep_back(creation("container", f"{aspen.name}-mongo"))
    theirs = f"{aspen.name}-mail-sink"
    way.do_before(
        creation("container", theirs),
        lambda: client.create_container(
            fleet.objects.image("base"),
            command=["true"],
            name=theirs,
            labels={TENANT: aspen.name, "portal.service": "mail-sink"},
        ),
    )
    ran = run(aspen, way)
    assert way.missing == []
    assert ran.code == 1, str(ran)
    for name in ("memcached", "redis"):
        message = f"removed {aspen.name}-{name}: the engine made it, but its answer came too late"
        assert message in ran.output, str(ran)
    assert unknown(fleet, aspen) == {"mail-sink"}
    client.remove_container(theirs)
    way.pass_on()
    assert unknown(fleet, aspen) == {"mongo"}
    # It is in nobody's way, says a look, which leaves it there.
    seen = run(aspen, way, "preview")
    assert (seen.code, seen.facts()["obstacles"]) == (0, []), str(seen)
    ran = run(aspen, way)
    assert ran.code == 0, str(ran)
    assert f"removed {aspen.name}-mongo: the engine made it" in ran.output, str(ran)
    assert unknown(fleet, aspen) == set()
    assert aspen.objects.ids(aspen.name) == fleet.names_in_state(aspen.name)
    assert not aspen.unhealthy()
    aspen.assert_quiet()


@pytest.mark.slow
@pytest.mark.parametrize("way", [True], indirect=True, ids=["silent"])
def test_an_engine_that_is_silent_until_the_client_gives_up(fleet: LightPortals, way: LateAnswers) -> None:
    """As above, by the plugin's own patience, for a network; and a destroy sees to it, too."""
    aspen = fleet.trial(1)
    data = creation("network", f"{aspen.name}-data")
    way.lose_answer(data)
    ran = run(aspen, way)
    assert ran.code == 1, str(ran)
    assert "timed out" in ran.output, str(ran)
    assert f"removed {aspen.name}-data: the engine made it" in ran.output, str(ran)
    assert unknown(fleet, aspen) == set()
    way.silent = False
    way.keep_back(data)
    ran = run(aspen, way)
    assert ran.code == 1, str(ran)
    way.pass_on()
    assert unknown(fleet, aspen) == {"data"}
    ran = aspen.checkout.portal("destroy", aspen.name, "--confirm", aspen.name, DOCKER_HOST=way.address)
    assert ran.code == 0, str(ran)
    assert not aspen.objects.ids(aspen.name)
