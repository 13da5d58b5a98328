"""Debian's Maven in a container that goes away: for machines without Java, and for engines elsewhere."""

import io
import tarfile
import time
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from threading import Event as Flag
from typing import Any

from docker import APIClient
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from automation.images.command import LAST_LINES
from automation.images.event import BuildError, Stopped
from config.portal.labels import BUILD

GOAL = ("--batch-mode", "--no-transfer-progress", "dependency:copy-dependencies")
# What this machine trusts and is told: its certificates (a company's own among them) and its mirrors.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SETTINGS = Path(".m2/settings.xml")
_FORGOTTEN_SECONDS = 3600
_SCRIPT = """
set -eu
# Debian's Java, which trusts what Debian trusts; the image may bring another.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin JAVA_HOME=/usr/lib/jvm/default-java
cd /usr/local/share/ca-certificates
if [ -s /maven/certificates.pem ]; then
    csplit --quiet --elide-empty-files --prefix=host- --suffix-format=%03d.crt \
        /maven/certificates.pem '/-----BEGIN CERTIFICATE-----/' '{*}'
    update-ca-certificates >/dev/null 2>&1
fi
echo installing Maven
install-packages maven default-jre-headless >/dev/null
cd /maven
settings=
[ ! -e settings.xml ] || settings='--settings settings.xml'
exec mvn $settings "$@" --file pom.xml -DoutputDirectory=/maven/jars
"""


def copy_dependencies(
    project: Path,
    made: Path,
    client: APIClient,
    base: str,
    *,
    limit: float,
    stop: Flag,
    on_line: Callable[[str], None],
) -> None:
    """Lay the jars that a project file depends on into the folder `made`. Raises BuildError or Stopped."""
    _clear(client)
    container = client.create_container(
        base,
        ["sh", "-c", _SCRIPT, "sh", *GOAL],
        user="0",
        name=f"portals-maven-{uuid.uuid4().hex[:8]}",
        labels={BUILD: "maven"},
    )["Id"]
    try:
        # Into the container and gone with it: a mirror's password must not stay in a layer.
        client.put_archive(container, "/", _workplace(project))
        client.start(container)
        _follow(client, container, limit, stop, on_line)
        _take(client, container, made)
    except (DockerException, RequestException) as error:
        raise BuildError(f"downloading jars in a container: {error}") from None
    finally:
        client.remove_container(container, force=True, v=True)


def _clear(client: APIClient) -> None:
    """Remove what a killed build left; one that may still be at work stays."""
    for left in client.containers(all=True, filters={"label": f"{BUILD}=maven"}):
        if time.time() - left["Created"] > _FORGOTTEN_SECONDS:
            client.remove_container(left["Id"], force=True, v=True)


def _workplace(project: Path) -> bytes:
    files = {"pom.xml": project, "certificates.pem": CERTIFICATES, "settings.xml": Path.home() / SETTINGS}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, path in files.items():
            if path.is_file():
                content = path.read_bytes()
                info = tarfile.TarInfo(f"maven/{name}")
                info.size = len(content)
                info.mode = 0o600
                tar.addfile(info, io.BytesIO(content))
    return made.getvalue()


def _follow(
    client: APIClient, container: str, limit: float, stop: Flag, on_line: Callable[[str], None]
) -> None:
    deadline = time.monotonic() + limit
    last: deque[str] = deque(maxlen=LAST_LINES)
    since = 0
    while True:
        state: dict[str, Any] = client.inspect_container(container)["State"]
        lines = client.logs(container).decode("utf-8", "replace").splitlines()
        for line in lines[since:]:
            last.append(line)
            on_line(line)
        since = len(lines)
        if not state["Running"]:
            break
        if time.monotonic() > deadline:
            raise BuildError(f"downloading jars: took longer than {limit:.0f} s", tuple(last))
        if stop.wait(timeout=1):
            raise Stopped
    if state["ExitCode"]:
        raise BuildError(f"downloading jars: Maven ended with code {state['ExitCode']}", tuple(last))


def _take(client: APIClient, container: str, made: Path) -> None:
    try:
        chunks, _ = client.get_archive(container, "/maven/jars")
    except APIError as error:
        raise BuildError(f"downloading jars: Maven succeeded but left no jars: {error.explanation}") from None
    archive = io.BytesIO(b"".join(chunks))
    with tarfile.open(fileobj=archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                (made / PurePosixPath(member.name).name).write_bytes(content.read())
