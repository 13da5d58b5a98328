"""What was made, from what, where it came from: so that a second run knows in no time that nothing is to be done."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from toolchain import files


@dataclass(frozen=True, kw_only=True)
class PartResult:
    """A part of the toolchain that is there.

    source: one of progress.SOURCES. seconds: what it took to get, 0 when it stood already.
    """

    part: str
    source: str
    version: str = ""
    where: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Stamps:
    folder: Path

    def _path(self, part: str, key: str) -> Path:
        return self.folder / f"{part}-{key}.json"

    def read(self, part: str, key: str) -> PartResult | None:
        """What is known of a part made from these inputs; None when it was never finished or has changed since."""
        try:
            content = json.loads(self._path(part, key).read_text())
            if all(_looks(Path(path)) == look for path, look in content["looks"].items()):
                return PartResult(**content["taken"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Damaged or of another version of this file: as good as none.
            return None
        return None

    def write(self, key: str, result: PartResult, *evidence: Path) -> PartResult:
        """Remember a part, and how the files that prove it look now. Comes last: the part is whole from here on."""
        looks = {str(path): _looks(path) for path in evidence}
        text = json.dumps({"taken": asdict(result), "looks": looks}, indent=1)
        files.write(self._path(result.part, key), text)
        return result

    def forget(self, part: str) -> None:
        for path in self.folder.glob(f"{part}-*.json"):
            path.unlink(missing_ok=True)


def _looks(path: Path) -> list[int]:
    """Size and time of a file: a replaced or rebuilt one differs, and asking costs no process."""
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
