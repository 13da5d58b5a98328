"""Where a file backend keeps a stack, and what is read there."""

from pathlib import Path

import pytest

from automation.errors import PortalError
from automation.stack import Stack, stacks
from toolchain import files


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


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack whose CLI is told apart from its file: it says where it was asked."""
    program = tmp_path / "bin" / "pulumi"
    files.write(program, '#!/bin/sh\necho \'{"version": 3, "deployment": "told by the CLI"}\'\n', mode=0o755)
    env = {"PATH": f"{program.parent}:/usr/bin:/bin", "PULUMI_BACKEND_URL": f"file://{tmp_path}/state"}
    return Stack(name="acme", environ=env)


def test_a_state_is_read_from_its_file(stack: Stack) -> None:
    write(stack, b'{"version": 3, "checkpoint": {"stack": "acme", "latest": {"resources": []}}}')
    assert stack.state() == {"version": 3, "deployment": {"resources": []}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x1f\x8b\x08 compressed",
        b'{"version": 4, "features": ["views"], "checkpoint": {"latest": {"resources": []}}}',
        b'{"version": 3, "checkpoint": {"stack": "acme"}}',
    ],
)
def test_a_file_that_is_not_as_known_is_the_clis_to_read(stack: Stack, content: bytes | None) -> None:
    write(stack, content)
    assert stack.state()["deployment"] == "told by the CLI"


def test_a_stack_that_there_is_not_is_no_question_for_the_cli(stack: Stack) -> None:
    """It would begin a backend, where a look makes nothing."""
    with pytest.raises(PortalError, match="there is no stack acme"):
        stack.state()
    assert stack.files
    assert not stack.files.exists()


@pytest.mark.parametrize("name", ["acme.json", "acme.json.gz"])
def test_the_stacks_of_a_file_backend(stack: Stack, name: str) -> None:
    assert stacks(stack.environ) == []
    assert not stack.exists()
    write(stack, None)
    assert stack.checkpoint
    for each in (name, "acme.json.bak", "oak.json.attrs"):
        (stack.checkpoint.parent / each).touch()
    assert stacks(stack.environ) == ["acme"]
    assert stack.exists()
    assert not stack.ensure()


def write(stack: Stack, content: bytes | None) -> None:
    """The stack's file in the backend; none for None."""
    assert stack.checkpoint
    stack.checkpoint.parent.mkdir(parents=True)
    if content is not None:
        stack.checkpoint.write_bytes(content)
