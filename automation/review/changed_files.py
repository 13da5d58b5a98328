"""Which files differ since a git ref."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from automation.errors import PortalError, WrongWords

GIT_LIMIT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that differs; `before` is its old path where it was renamed. `status` is git's letter."""

    path: str
    status: str = "M"
    before: str = ""


def since(ref: str, folder: Path) -> list[File]:
    """The files of a checkout that differ from where it left `ref`, those not committed yet included.

    Raises WrongWords for what is no ref, PortalError when git or the common beginning is not there.
    """
    if not ref or ref.startswith("-"):
        raise WrongWords(f"{ref!r} is not a git ref, for example origin/main")
    known = _git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if known.returncode:
        # Quiet as it is, it says only why it does not look at all: no repository, or one of another user ("dubious ownership").
        _refuse(ref, known)
        _require_full_history(folder)
        raise WrongWords(f"{ref}: git knows no such ref; run git fetch origin main, or name a commit")
    base = _git(folder, "merge-base", ref, "HEAD")
    if base.returncode:
        _refuse(ref, base)
        _require_full_history(folder)
        raise PortalError(f"{ref}: {ref} and HEAD have no common ancestor")
    ended = _git(folder, "diff", "--name-status", "--find-renames", "-z", base.stdout.strip(), "--")
    new = _git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    for each in (ended, new):
        if each.returncode:
            raise PortalError(f"{ref}: git says: {each.stderr.strip() or 'nothing'}")
    return [*parse(ended.stdout), *(File(path=path, status="A") for path in new.stdout.split("\0") if path)]


def parse(output: str) -> list[File]:
    """What `git diff --name-status -z` says: a letter, then one path, or two for a rename or a copy."""
    words = iter(output.split("\0"))
    files = []
    for status in words:
        if not status:
            continue
        if status[0] == "R":
            before = next(words)
            files.append(File(path=next(words), status="R", before=before))
        elif status[0] == "C":
            next(words)
            files.append(File(path=next(words), status="A"))
        else:
            files.append(File(path=next(words), status=status[0]))
    return files


def _refuse(ref: str, ended: "subprocess.CompletedProcess[str]") -> None:
    """Raises PortalError with git's own words, its remedy among them, unless git has only answered no (1)."""
    if ended.returncode != 1 and (stderr := ended.stderr.strip()):
        raise PortalError(f"{ref}: git says: {stderr}")


def _require_full_history(folder: Path) -> None:
    if _git(folder, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        raise PortalError(
            "this clone is shallow, so the base of the change cannot be found; check out the whole "
            "history (actions/checkout: `fetch-depth: 0`, GitLab: `GIT_DEPTH: 0`), or run `git fetch "
            "--unshallow`"
        )


def _git(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    try:
        ended = subprocess.run(
            ["git", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_LIMIT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise PortalError("git is not on PATH; it is needed to find what changed") from None
    except subprocess.TimeoutExpired:
        raise PortalError(f"waited {GIT_LIMIT_SECONDS} s for `git {' '.join(words)}`") from None
    # A path may be anything; as a text, subprocess would make line feeds of its carriage returns.
    return subprocess.CompletedProcess(
        ended.args, ended.returncode, os.fsdecode(ended.stdout), ended.stderr.decode(errors="replace")
    )
