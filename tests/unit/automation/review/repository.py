"""A checkout that came from a bare repository, with the two portals' tenants in it, to make changes in."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.unit.automation.review import kinds

HERE = Path(__file__).resolve().parents[4]
LIMIT_SECONDS = 60
# Nothing of whoever runs the tests: neither their name nor their hooks nor their keys.
SETTINGS = ("-c", "commit.gpgSign=false", "-c", f"core.hooksPath={os.devnull}")
IDENTITY = {
    "GIT_AUTHOR_NAME": "Trial",
    "GIT_AUTHOR_EMAIL": "trial@example.com",
    "GIT_COMMITTER_NAME": "Trial",
    "GIT_COMMITTER_EMAIL": "trial@example.com",
}


def git(folder: Path, *words: str) -> str:
    """Run git, which must succeed; return what it says."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE")
    }
    ran = subprocess.run(
        ["git", *SETTINGS, *words],
        cwd=folder,
        env={**kept, **IDENTITY},
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert ran.returncode == 0, f"git {' '.join(words)}: {ran.stderr}"
    return ran.stdout


def commit(folder: Path, message: str) -> None:
    """Commit all that is there."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


@dataclass(frozen=True)
class Repository:
    """`bare` is the repository that is shared, `base` a checkout of its main that stays as it is."""

    bare: Path
    base: Path

    @classmethod
    def make(cls, folder: Path) -> "Repository":
        """What git has of this checkout, with the trial's tenants in the place of its own."""
        base, bare = folder / "base", folder / "shared.git"
        listed = git(HERE, "ls-files", "-z", "-co", "--exclude-standard")
        for name in filter(None, listed.split("\0")):
            if not name.startswith("tenants/") and (HERE / name).is_file():
                target = base / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(HERE / name, target)
        (base / "tenants").mkdir()
        for name in (kinds.ROWAN, kinds.ALDER):
            kinds.write(base, name, kinds.tenant(name))
        git(folder, "init", "--quiet", "--initial-branch", "main", str(base))
        commit(base, "The portals")
        git(folder, "clone", "--quiet", "--bare", str(base), str(bare))
        return cls(bare, base)

    def branch(self, folder: Path, name: str) -> Path:
        """A clone of its own, on a new branch."""
        git(folder, "clone", "--quiet", str(self.bare), name)
        git(folder / name, "switch", "--quiet", "--create", name)
        return folder / name
