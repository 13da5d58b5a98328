"""Stores mails as files: the newest few hundred, each synced before it is acknowledged."""

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
    """A stored mail: its envelope and size."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    size: int

    @property
    def received(self) -> float:
        """When, in seconds since 1970."""
        return int(self.id) / 1e9


class Store:
    """The newest `most` mails, in a directory."""

    def __init__(self, folder: Path, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self.most, self.most_bytes = folder, most, most_bytes
        self._lock = Lock()
        for left in folder.glob(".*.new"):
            left.unlink()
        names = sorted(path.stem for path in folder.glob("*.eml") if _NAME.fullmatch(path.stem))
        self._kept = {name: self._read_envelope(name) for name in names}

    def add(self, content: bytes, sender: str, recipients: Sequence[str]) -> str:
        """Store a mail; returns its id when it is on the disk. Raises OSError."""
        head = f"{_FROM}: {printable(sender)}\r\n" + "".join(
            f"{_TO}: {printable(each)}\r\n" for each in recipients
        )
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
                # The drive is full: half a mail must not use the remaining space.
                fresh.unlink(missing_ok=True)
                raise
            sync_directory(self.folder)
            self._kept[name] = Kept(id=name, sender=sender, recipients=tuple(recipients), size=len(data))
            self._trim()
        return name

    def newest(self, to: str = "") -> list[Kept]:
        """All mails, newest first; with `to`, only those to that address."""
        with self._lock:
            mails = [self._kept[name] for name in sorted(self._kept, reverse=True)]
        return [each for each in mails if not to or to.lower() in map(str.lower, each.recipients)]

    def get(self, name: str) -> tuple[Kept, bytes] | None:
        """A mail and its bytes as received; None if it does not exist (any more)."""
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

    def _read_envelope(self, name: str) -> Kept:
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


def printable(address: str) -> str:
    """An address without characters that would end a header line."""
    return "".join(each for each in address if each.isprintable())


def sync_directory(folder: Path) -> None:
    """Sync a directory."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
