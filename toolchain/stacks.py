"""A stack for each tenant, so that `pulumi stack select acme && pulumi up` is all that the plain CLI needs."""

from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.paths import Paths

PROJECT = "portals"
LIMIT_SECONDS = 60


def missing(tenants: Path, paths: Paths, variables: Mapping[str, str]) -> list[str]:
    """Tenants that have no stack yet in the file backend that is ours; none with any other backend."""
    if variables.get("PULUMI_BACKEND_URL") != paths.backend:
        return []
    made = paths.state / ".pulumi" / "stacks" / PROJECT
    names = (path.stem for path in tenants.glob("*.yaml") if not path.name.startswith("Pulumi."))
    return sorted(name for name in names if not (made / f"{name}.json").exists())


def make(names: list[str], repo: Path, env: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Make these stacks; one that cannot be made is told and left to the first command that needs it."""
    # Imported here: `missing` is asked each time, this is done once, and loading it takes longer than asking.
    import subprocess

    for name in names:
        words = ["pulumi", "stack", "init", "--no-select", "--non-interactive", name]
        try:
            ended = subprocess.run(
                words,
                cwd=repo,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            say(f"no stack {name} was made: {error}")
            continue
        if ended.returncode:
            last = (ended.stderr.strip() or "it said nothing").splitlines()[-1]
            say(f"no stack {name} was made: {last.removeprefix('error: ')}")
        else:
            say(f"made the stack {name}")
