"""Until when Open edX supports a release, in words, and which release somebody should choose who has none yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from config.releases.release import Release


@dataclass(frozen=True, kw_only=True)
class Support:
    """What is known of a release's support on a day."""

    release: Release
    today: date

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self.today >= self.release.support_ends

    def __str__(self) -> str:
        day = self.release.support_ends.isoformat()
        return f"support ended on {day}" if self.has_ended else f"supported until {day}"


def newest(releases: Mapping[str, Release]) -> Release:
    """The release to begin with: of those whose public images lack nothing the one with the longest support."""
    whole = [each for each in releases.values() if not each.lacks]
    return max(whole or releases.values(), key=lambda each: (each.support_ends, each.name))


def notes(release: Release, releases: Mapping[str, Release], today: date) -> tuple[str, ...]:
    """What somebody should know whose portal has a release that Open edX does not support any more."""
    support = Support(release=release, today=today)
    if not support.has_ended:
        return ()
    better = newest(releases)
    line = f"release: Open edX {release.title}: {support}"
    if better.support_ends <= release.support_ends:
        return (line,)
    newer = Support(release=better, today=today)
    return (f"{line} (docs/releases.md); a new portal should have {better.name}, {newer}",)
