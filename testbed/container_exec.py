"""Runs commands in a container."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import docker

STDERR = 2
# Each part of the output has a head: its stream and its length.
HEAD = struct.Struct(">BxxxL")


def begin(
    client: docker.APIClient,
    container: str,
    words: Sequence[str],
    env: Mapping[str, str] | None = None,
    user: str = "",
) -> tuple[str, Iterator[tuple[int, bytes]]]:
    """Start a command. Returns the id of its exec, and its output as it comes: 1 or 2 for the stream, and bytes."""
    made = client.exec_create(container, list(words), environment=dict(env or {}), user=user)["Id"]
    return made, output_parts(client.exec_start(made, socket=True))


def output_parts(reader: Any) -> Iterator[tuple[int, bytes]]:
    """The output by stream. docker-py's own reader loses what comes with the head.

    The same is in automation/engine/docker_exec.py, which is under test and so not used here.
    """
    # Kept here: the reader drops it when the response is closed first.
    connection = reader._sock
    try:
        connection.settimeout(None)
        buffered = reader._response.raw._fp.fp
        while len(head := buffered.read(HEAD.size)) == HEAD.size:
            stream, length = HEAD.unpack(head)
            yield stream, buffered.read(length)
    finally:
        reader._response.close()
        connection.close()


def run(
    client: docker.APIClient,
    container: str,
    *words: str,
    env: Mapping[str, str] | None = None,
    user: str = "",
    stderr: bool = True,
) -> tuple[int, str]:
    """Run a command to its end; returns its exit code and its output."""
    made, parts = begin(client, container, words, env, user)
    text = b"".join(data for stream, data in parts if stderr or stream != STDERR)
    return int(client.exec_inspect(made)["ExitCode"] or 0), text.decode("utf-8", "replace")
