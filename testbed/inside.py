"""Commands run inside a container."""

from collections.abc import Iterator, Mapping, Sequence

import docker
from docker.utils.socket import STDERR, frames_iter


def begin(
    client: docker.APIClient,
    container: str,
    words: Sequence[str],
    env: Mapping[str, str] | None = None,
    user: str = "",
) -> tuple[str, Iterator[tuple[int, bytes]]]:
    """Starts a command; the id of its exec, and what it says as it says it: 1 or 2 for the stream, and bytes."""
    made = client.exec_create(container, list(words), environment=dict(env or {}), user=user)["Id"]
    # By the socket, because docker-py leaves that of every other way open (ResourceWarning in some later test).
    reader = client.exec_start(made, socket=True)
    # Held here: the reader lets go of it when it is closed first.
    connection = reader._sock

    def said() -> Iterator[tuple[int, bytes]]:
        try:
            yield from frames_iter(reader, tty=False)
        finally:
            reader._response.close()
            connection.close()

    return made, said()


def run(
    client: docker.APIClient,
    container: str,
    *words: str,
    env: Mapping[str, str] | None = None,
    user: str = "",
    stderr: bool = True,
) -> tuple[int, str]:
    """Runs a command to its end; its exit code and what it said."""
    made, said = begin(client, container, words, env, user)
    text = b"".join(data for stream, data in said if stderr or stream != STDERR)
    return int(client.exec_inspect(made)["ExitCode"] or 0), text.decode("utf-8", "replace")
