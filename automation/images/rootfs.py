"""The root file system under `base`: Debian's own image where it can be pulled, else made from Debian's packages."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag

from docker import APIClient
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from automation.images.command import run
from automation.images.engine import present
from automation.images.event import BuildError

PULLED = "debian:bookworm-slim"
MADE = "portals/debian"
SUITE = "bookworm"
LIMIT_SECONDS = 900
PULL_SILENCE_SECONDS = 20
# As images/base/dpkg.cfg says for what comes later.
_LEFT_OUT = ("doc", "groff", "info", "lintian", "locale", "man")


def rootfs(
    client: APIClient,
    packages: tuple[str, ...],
    cache: Path,
    *,
    stop: Flag,
    on_line: Callable[[str], None],
) -> str:
    """The reference of a Debian root file system on this engine. Raises BuildError."""
    made = f"{MADE}:{SUITE}-{hashlib.sha256(' '.join(_words(packages)).encode()).hexdigest()[:8]}"
    for known in (made, PULLED):
        if present(client, known):
            return known
    refused = "PORTAL_TOOLCHAIN=packages forbids pulls"
    if os.environ.get("PORTAL_TOOLCHAIN") != "packages":
        refused = _pull(client, on_line)
        if not refused:
            return PULLED
    if shutil.which("mmdebstrap") is None:
        raise BuildError(
            f"base: {PULLED} cannot be pulled ({refused}), and mmdebstrap, which makes it from "
            "Debian's packages, is not installed; run `./portal setup`"
        )
    bootstrap(client, packages, made, cache, stop=stop, on_line=on_line)
    return made


def bootstrap(
    client: APIClient,
    packages: tuple[str, ...],
    made: str,
    cache: Path,
    *,
    stop: Flag,
    on_line: Callable[[str], None],
) -> None:
    """Make a root file system with mmdebstrap and give it to the engine. Raises BuildError."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rootfs-", dir=cache) as half:
        tar = Path(half) / "rootfs.tar"
        run(
            [
                *_words(packages),
                *(SUITE, str(tar)),
                # A company's mirror: a file in apt's own format.
                *([os.environ["PORTAL_APT_SOURCES"]] if os.environ.get("PORTAL_APT_SOURCES") else []),
            ],
            what="making Debian's root file system",
            limit=LIMIT_SECONDS,
            stop=stop,
            on_line=on_line,
            # mmdebstrap works in there; a /tmp in memory may be too small.
            env={"TMPDIR": half},
        )
        repository, _, tag = made.partition(":")
        try:
            client.import_image_from_file(str(tar), repository=repository, tag=tag)
        except (DockerException, RequestException) as error:
            raise BuildError(f"base: the engine refuses the root file system: {error}") from None


def _words(packages: tuple[str, ...]) -> list[str]:
    return [
        *("mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}"),
        # Else apt takes the package `usrmerge`, and with it 50 MB of Perl.
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in _LEFT_OUT),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        # Two files of 39 MB that serve apt alone.
        '--aptopt=Dir::Cache::pkgcache ""',
        '--aptopt=Dir::Cache::srcpkgcache ""',
    ]


def _pull(client: APIClient, on_line: Callable[[str], None]) -> str:
    """Pull Debian's image; what stood in the way, or nothing."""
    name, _, tag = PULLED.partition(":")
    on_line(f"pulling {PULLED}")
    patience = client.timeout
    client.timeout = PULL_SILENCE_SECONDS
    try:
        for step in client.pull(name, tag=tag, stream=True, decode=True):
            if "error" in step:
                return str(step["error"])
    except (APIError, RequestException) as error:
        return str(error)
    finally:
        client.timeout = patience
    return "" if present(client, PULLED) else "it does not exist after the pull"
