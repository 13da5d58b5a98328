"""A command inside a running container."""

from typing import Any


def run(client: Any, container: str, *words: str) -> tuple[int, str, str]:
    """Its exit code, and what it says on standard output and standard error."""
    from docker.utils.socket import STDERR, frames_iter

    made = client.exec_create(container, list(words))["Id"]
    # By the socket: docker-py leaves that of every other way open.
    reader = client.exec_start(made, socket=True)
    connection = reader._sock
    said: dict[int, bytearray] = {}
    try:
        for stream, part in frames_iter(reader, tty=False):
            said.setdefault(stream, bytearray()).extend(part)
    finally:
        reader._response.close()
        connection.close()
    code = int(client.exec_inspect(made)["ExitCode"])
    err = said.pop(STDERR, bytearray()).decode(errors="replace")
    return code, b"".join(said.values()).decode(errors="replace"), err
