"""The mails as files: the newest few hundred, each on the disk before it is acknowledged."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

MOST = 500
MOST_BYTES = 200 * 1024 * 1024
_NAME = re.compile(r"[0-9]{20}")
_FROM, _TO = "X-Sink-From", "X-Sink-To"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A mail that is there: its envelope and size."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    size: int

    @property
    def received(self) -> float:
        """When, in seconds since 1970."""
        return int(self.id) / 1e9


class Store:
    """Mails in a directory, the newest `most` of them."""

    def __init__(self, folder: Path, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self.most, self.most_bytes = folder, most, most_bytes
        self._lock = Lock()
        for left in folder.glob(".*.new"):
            left.unlink()
        names = sorted(path.stem for path in folder.glob("*.eml") if _NAME.fullmatch(path.stem))
        self._kept = {name: self._look(name) for name in names}

    def add(self, content: bytes, sender: str, recipients: Sequence[str]) -> str:
        """Keep a mail; its id, once it is on the disk."""
        head = f"{_FROM}: {plain(sender)}\r\n" + "".join(f"{_TO}: {plain(each)}\r\n" for each in recipients)
        data = head.encode() + content
        with self._lock:
            name = f"{max(time.time_ns(), int(max(self._kept, default='0')) + 1):020}"
            fresh = self.folder / f".{name}.new"
            try:
                with fresh.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                fresh.rename(self._path(name))
            except OSError:
                # Of a drive that is full: half a mail must not fill what is left of it.
                fresh.unlink(missing_ok=True)
                raise
            sync(self.folder)
            self._kept[name] = Kept(id=name, sender=sender, recipients=tuple(recipients), size=len(data))
            self._trim()
        return name

    def newest(self, to: str = "") -> list[Kept]:
        """All that are there, newest first; with `to`, those that went there."""
        with self._lock:
            found = [self._kept[name] for name in sorted(self._kept, reverse=True)]
        return [each for each in found if not to or to.lower() in map(str.lower, each.recipients)]

    def get(self, name: str) -> tuple[Kept, bytes] | None:
        """A mail and its bytes as they came, or None when it is not there (any more)."""
        with self._lock:
            kept = self._kept.get(name)
        if not kept:
            return None
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        return kept, data.split(b"\r\n", 1 + len(kept.recipients))[-1]

    def _trim(self) -> None:
        size = sum(each.size for each in self._kept.values())
        for name in sorted(self._kept):
            if len(self._kept) <= self.most and size <= self.most_bytes:
                break
            size -= self._kept.pop(name).size
            self._path(name).unlink(missing_ok=True)

    def _look(self, name: str) -> Kept:
        sender, recipients = "", []
        with self._path(name).open("rb") as file:
            for line in file:
                key, _, value = line.decode("utf-8", "replace").strip().partition(": ")
                if key == _TO:
                    recipients.append(value)
                elif key == _FROM:
                    sender = value
                else:
                    break
            size = os.fstat(file.fileno()).st_size
        return Kept(id=name, sender=sender, recipients=tuple(recipients), size=size)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.eml"


def plain(address: str) -> str:
    """An address as one header line."""
    return "".join(each for each in address if each.isprintable())


def sync(folder: Path) -> None:
    """Have a directory's names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
