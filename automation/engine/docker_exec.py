"""A command inside a running container."""

import struct
from collections.abc import Iterator
from typing import Any

STDERR = 2
# Each part that is said has a head: its stream, and how long it is (Docker's API, "Attach to a container: stream format").
HEAD = struct.Struct(">BxxxL")


def run(client: Any, container: str, *words: str) -> tuple[int, str, str]:
    """Its exit code, and what it says on standard output and standard error."""
    made = client.exec_create(container, list(words))["Id"]
    output: dict[int, bytearray] = {}
    for stream, part in output_parts(client.exec_start(made, socket=True)):
        output.setdefault(stream, bytearray()).extend(part)
    code = int(client.exec_inspect(made)["ExitCode"])
    err = output.pop(STDERR, bytearray()).decode(errors="replace")
    return code, b"".join(output.values()).decode(errors="replace"), err


def output_parts(reader: Any) -> Iterator[tuple[int, bytes]]:
    """What a command says as it says it: 1 or 2 for the stream, and bytes. `reader` is of `exec_start(…, socket=True)`.

    docker-py leaves the socket of every other way open. Its own `frames_iter` reads the socket itself and loses what
    came in one packet with the head of the engine's answer: all that a quick command says, where the machine is busy.
    """
    # Held here: the reader lets go of it when it is closed first.
    connection = reader._sock
    try:
        # A command may be silent for long.
        connection.settimeout(None)
        buffered = reader._response.raw._fp.fp
        while len(head := buffered.read(HEAD.size)) == HEAD.size:
            stream, length = HEAD.unpack(head)
            yield stream, buffered.read(length)
    finally:
        reader._response.close()
        connection.close()
