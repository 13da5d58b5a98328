"""One run that makes what is missing."""

from toolchain import environment, files
from toolchain.process import Runner
from toolchain.setup import facts
from toolchain.setup.decide import Choice, decide
from toolchain.setup.progress import Progress
from toolchain.setup.recipes import Parts
from toolchain.setup.schedule import Schedule
from toolchain.setup.stamps import Taken
from toolchain.setup.standing import Standing

PULUMI = frozenset({"pulumi", "language-host", "plugins"})


def make(standing: Standing, missing: frozenset[str], progress: Progress, *, ahead: bool) -> dict[str, Taken]:
    """Make the parts, each as soon as what it waits for stands. Raises the ToolchainError of the first that fails.

    ahead: build the portal's images meanwhile, should the CLI have to be built.
    """
    _clean(standing)
    path = environment.without_ours(standing.paths, standing.env.get("PATH", ""))
    env = {**standing.env, **environment.direct(standing.env), "PATH": path, "PYTHONUTF8": "1"}
    runner = Runner(standing.paths.logs, env, scratch=files.unfinished(standing.paths.cache / "aside"))
    try:
        made = _made(standing, missing, progress, runner, ahead=ahead)
    finally:
        runner.clean()
    _remove_go_caches(standing)
    return made


def _made(
    standing: Standing, missing: frozenset[str], progress: Progress, runner: Runner, *, ahead: bool
) -> dict[str, Taken]:
    found = facts.gather(standing.env, standing.paths, standing.pins, runner, pulumi=bool(missing & PULUMI))
    plan = decide(found, standing.pins, missing)
    if ahead and plan.get("pulumi", Choice("")).source == "packages":
        plan["portal-images"] = Choice("packages")
    parts = Parts(standing, plan, runner, progress)
    return Schedule(plan, parts.make, runner.stop, progress).run()


def _clean(standing: Standing) -> None:
    """Remove what killed runs left, and the logs of the run before."""
    for folder in (standing.paths.cache, *standing.paths.cache.glob("bin-*")):
        files.remove_unfinished(folder)
    for log in standing.paths.logs.glob("*.log"):
        log.unlink()


def _remove_go_caches(standing: Standing) -> None:
    """Give gigabytes back once everything that is built from Go modules stands."""
    caches = standing.paths.go_caches
    if caches.exists() and standing.part("pulumi") and standing.part("language-host"):
        going = files.unfinished(caches)
        caches.rename(going)
        files.remove(going)
