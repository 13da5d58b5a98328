"""Files that are put into a container before it starts."""

import io
import re
import tarfile
from typing import Any

import pytest

from plugins.docker.container.uploads import archive
from plugins.errors import Refused


def test_uploads_travel_as_one_archive() -> None:
    uploads: list[dict[str, Any]] = [
        {"file": "/run/secrets/a", "content": "ä"},
        {"file": "/run.sh", "content": "#!/bin/sh\n", "executable": True},
        {"file": "/perm", "contentBase64": "AAE=", "permissions": "0400", "executable": True},
    ]
    with tarfile.open(fileobj=io.BytesIO(archive(uploads))) as tar:
        members = {each.name: (each.mode, each.uid, each.gid) for each in tar.getmembers()}
        content = tar.extractfile("perm")
        assert content is not None
        assert content.read() == b"\x00\x01"
    assert members == {"run/secrets/a": (0o644, 0, 0), "run.sh": (0o744, 0, 0), "perm": (0o400, 0, 0)}


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        ({}, "none of them is given, or it is empty"),
        ({"content": "a", "contentBase64": "YQ=="}, "content and contentBase64 are given"),
        ({"contentBase64": "?"}, "contentBase64: "),
        ({"source": "/no/such/file"}, "No such file or directory"),
    ],
)
def test_an_upload_has_one_readable_source(upload: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=re.escape(reason)):
        archive([{"file": "/x", **upload}])
