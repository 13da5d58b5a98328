"""What an author does in studio, by the requests that its pages make."""

from typing import Any
from urllib.parse import quote, urlsplit

from testbed.waiting import until
from tests.hub.address import Address
from tests.hub.session import File, Session

# A task of the workers on a busy machine; and until the lms shows what studio has published.
TASK_LIMIT_SECONDS = 300.0
PUBLISHED_LIMIT_SECONDS = 120.0
# What the list of an import's steps ends with, and what an export's does.
IMPORTED, EXPORTED = 4, 3


class Author:
    """Logged in to the lms, and by that to studio."""

    def __init__(self, portal: Address, session: Session) -> None:
        self.cms, self.session = portal.cms, session

    def open_studio(self) -> str:
        """Open studio's home, without a password of its own; the address at which that ended."""
        answer = self.session.get(f"{self.cms}/home/").succeeded()
        # Its form asks for a token of this site.
        self.session.get(f"{self.cms}/home/").succeeded()
        return answer.url

    def create(self, org: str, number: str, run: str, title: str) -> str:
        """An empty course; its key."""
        fields = {"org": org, "number": number, "run": run, "display_name": title}
        course = self.session.tell(f"{self.cms}/course/", fields).json()
        assert "course_key" in course, course
        return str(course["course_key"])

    def add(self, parent: str, category: str, title: str = "", **changed: Any) -> str:
        """Something below a part of a course; its key."""
        fields = {"parent_locator": parent, "category": category}
        if title:
            fields["display_name"] = title
        made = str(self.session.tell(f"{self.cms}/xblock/", fields).json()["locator"])
        if changed:
            self.change(made, **changed)
        return made

    def change(self, part: str, **changed: Any) -> None:
        self.session.tell(f"{self.cms}/xblock/{quote(part, safe='')}", changed).succeeded()

    def publish(self, part: str) -> None:
        """All of it, for learners."""
        self.change(part, publish="make_public")

    def details(self, key: str, **changed: Any) -> dict[str, Any]:
        """The page of dates and texts, with changes; what it then has."""
        url = f"{self.cms}/settings/details/{quote(key, safe='')}"
        details: dict[str, Any] = self.session.get(url, "application/json").json()
        if changed:
            details = self.session.tell(url, {**details, **changed}).json()
        return details

    def grade_by(self, key: str, kind: str) -> None:
        """All of the grade is by one kind of assignment."""
        url = f"{self.cms}/settings/grading/{quote(key, safe='')}"
        grader = {"type": kind, "short_label": "", "min_count": 1, "drop_count": 0, "weight": 100}
        grading = {
            "graders": [grader],
            "grade_cutoffs": {"Pass": 0.5},
            "grace_period": None,
            "minimum_grade_credit": 0.8,
        }
        self.session.tell(url, grading).succeeded()

    def graders(self, key: str) -> list[str]:
        """The kinds of assignments that studio has in the grading."""
        url = f"{self.cms}/settings/grading/{quote(key, safe='')}"
        grading = self.session.get(url, "application/json").json()
        return [str(each["type"]) for each in grading["graders"]]

    def upload(self, key: str, file: File) -> dict[str, Any]:
        """A file of the course; what studio says of it."""
        asset = self.session.upload(f"{self.cms}/assets/{quote(key, safe='')}/", "file", file).json()
        facts: dict[str, Any] = asset["asset"]
        return facts

    def import_archive(self, key: str, file: File) -> None:
        """Import an archive into a course, by a task of the workers."""
        course = quote(key, safe="")
        self.session.upload(f"{self.cms}/import/{course}", "course-data", file).succeeded()
        status = f"{self.cms}/import_status/{course}/{file.name}"
        until(
            "the import to end",
            lambda: self._ended(status, "ImportStatus", IMPORTED),
            limit=TASK_LIMIT_SECONDS,
        )

    def export_archive(self, key: str) -> bytes:
        """Export a course, by a task of the workers; the archive."""
        course = quote(key, safe="")
        self.session.form(f"{self.cms}/export/{course}", {}).succeeded()
        status = f"{self.cms}/export_status/{course}"
        last_status = until(
            "the export to end",
            lambda: self._ended(status, "ExportStatus", EXPORTED),
            limit=TASK_LIMIT_SECONDS,
        )
        where = str(last_status["ExportOutput"])
        return self.session.get(where if urlsplit(where).scheme else self.cms + where).succeeded().body

    def _ended(self, url: str, name: str, done: int) -> dict[str, Any]:
        """What a task says when it is done; nothing before. Raises AssertionError for one that failed."""
        status: dict[str, Any] = self.session.get(url, "application/json").json()
        assert status[name] >= 0, status
        return status if status[name] == done else {}
