"""Where a file backend keeps a stack."""

from pathlib import Path

import pytest

from automation.pulumi import Stack


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///data/state", "/data/state"),
        ("file:///data/state?metadata=skip", "/data/state"),
        ("file:///data/my%20state?metadata=skip", "/data/my state"),
        ("file://~/state", str(Path("~/state").expanduser())),
        ("file://~", str(Path.home())),
    ],
)
def test_a_file_backends_folder(url: str, folder: str) -> None:
    files = Stack(name="acme", environ={"PULUMI_BACKEND_URL": url}).files
    assert files == Path(folder) / ".pulumi"


@pytest.mark.parametrize("url", ["", "s3://bucket", "postgres://user@host/stacks", "https://api.pulumi.com"])
def test_other_backends_have_no_files_here(url: str) -> None:
    stack = Stack(name="acme", environ={"PULUMI_BACKEND_URL": url})
    assert (stack.files, stack.checkpoint, stack.locks) == (None, None, None)
