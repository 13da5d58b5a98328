"""The files that are put into a container before it starts, as one tar archive."""

import base64
import binascii
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from plugins.errors import Refused
from plugins.values import Plain

SOURCES = ("content", "contentBase64", "source")


def archive(uploads: Sequence[Mapping[str, Plain]]) -> bytes:
    """Return all files as a tar to unpack at the container's root, owned by root; raises Refused."""
    # Imported late: a preview does without.
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for each in uploads:
            data = content(each)
            member = tarfile.TarInfo(each["file"].lstrip("/"))
            member.size, member.mode = len(data), mode(each)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def mode(upload: Mapping[str, Plain]) -> int:
    """Return the file's mode: as said, else 0744 for an executable and 0644 for the others."""
    if upload.get("permissions"):
        return int(upload["permissions"], 8)
    return 0o744 if upload.get("executable") else 0o644


def content(upload: Mapping[str, Plain]) -> bytes:
    """Return the file's content from its one source; raises Refused for none or two, and where it cannot be read."""
    sources = [name for name in SOURCES if upload.get(name)]
    if len(sources) != 1:
        are = "none of them is given, or it is empty" if not sources else f"{' and '.join(sources)} are given"
        raise Refused(f"upload of {upload['file']}: give one of content, contentBase64 and source; {are}")
    try:
        return _read(sources[0], upload[sources[0]])
    except (OSError, binascii.Error) as error:
        raise Refused(f"upload of {upload['file']}: {sources[0]}: {error}") from None


def _read(source: str, value: str) -> bytes:
    if source == "source":
        return Path(value).read_bytes()
    return base64.b64decode(value, validate=True) if source == "contentBase64" else value.encode()
