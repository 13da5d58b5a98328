"""Makes the missing parts, in one run."""

from toolchain import environment, files
from toolchain.process import Runner
from toolchain.setup import facts
from toolchain.setup.decide import Choice, choose_sources
from toolchain.setup.installation import Installation
from toolchain.setup.progress import Progress
from toolchain.setup.recipes import Parts
from toolchain.setup.schedule import Schedule
from toolchain.setup.stamps import PartResult

PULUMI = frozenset({"pulumi", "language-host", "plugins"})


def make_missing_parts(
    installation: Installation, missing: frozenset[str], progress: Progress, *, ahead: bool
) -> dict[str, PartResult]:
    """Make the parts, each as soon as what it waits for stands. Raises the ToolchainError of the first that fails.

    ahead: build the portal's images meanwhile, should the CLI have to be built.
    """
    _clean(installation)
    path = environment.without_ours(installation.paths, installation.env.get("PATH", ""))
    env = {**installation.env, **environment.direct(installation.env), "PATH": path, "PYTHONUTF8": "1"}
    runner = Runner(
        installation.paths.logs, env, scratch=files.unfinished(installation.paths.cache / "aside")
    )
    try:
        made = _make(installation, missing, progress, runner, ahead=ahead)
    finally:
        runner.clean()
    _remove_go_caches(installation)
    return made


def _make(
    installation: Installation, missing: frozenset[str], progress: Progress, runner: Runner, *, ahead: bool
) -> dict[str, PartResult]:
    machine = facts.gather(
        installation.env, installation.paths, installation.pins, runner, pulumi=bool(missing & PULUMI)
    )
    plan = choose_sources(machine, installation.pins, missing)
    if ahead and plan.get("pulumi", Choice("")).source == "packages":
        plan["portal-images"] = Choice("packages")
    parts = Parts(installation, plan, runner, progress)
    return Schedule(plan, parts.make, runner.stop, progress).run()


def _clean(installation: Installation) -> None:
    """Remove what killed runs left, and the logs of the run before."""
    for folder in (installation.paths.cache, *installation.paths.cache.glob("bin-*")):
        files.remove_unfinished(folder)
    for log in installation.paths.logs.glob("*.log"):
        log.unlink()


def _remove_go_caches(installation: Installation) -> None:
    """Give gigabytes back once everything that is built from Go modules stands."""
    caches = installation.paths.go_caches
    if caches.exists() and installation.part("pulumi") and installation.part("language-host"):
        going = files.unfinished(caches)
        caches.rename(going)
        files.remove(going)
