"""The images that a build's first stages leave behind: only the last stage is the result."""

import contextlib
import re

from docker import APIClient
from docker.errors import DockerException
from requests.exceptions import RequestException

_FROM = re.compile(r"Step \d+/\d+ : FROM ")
_MADE = re.compile(r" ---> ([0-9a-f]{12})$")


class Stages:
    """Listens to a build, to know where each stage but the last ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self._made = ""
        self._first = ""

    def read_line(self, line: str) -> None:
        """Take in one line of the engine's output."""
        if _FROM.match(line):
            if self._made and self._made != self._first:
                self.ends.append(self._made)
            self._made = self._first = ""
        elif match := _MADE.match(line):
            # The first line of a stage names what it stands on, which is no stage's end.
            self._first = self._first or match[1]
            self._made = match[1]

    def remove(self, client: APIClient) -> None:
        """Remove what no image stands on any more; a stage that is still in use stays."""
        for each in self.ends:
            with contextlib.suppress(DockerException, RequestException):
                client.remove_image(each)
