"""What a learner does, and who teaches, by the requests that the lms's pages and other programs make."""

import html
import json
import re
from base64 import b64encode
from typing import Any
from urllib.parse import quote

from testbed.waiting import until
from tests.hub.address import Address
from tests.hub.session import Answer, File, Session

INDEX_LIMIT_SECONDS = 120.0
MAIL_LIMIT_SECONDS = 120.0


class Learner:
    """Somebody on the lms; `name` once there is an account."""

    def __init__(self, portal: Address, session: Session) -> None:
        self.lms, self.session, self.portal = portal.lms, session, portal
        self.name = ""

    def log_in(self, email: str, password: str) -> Answer:
        """By the lms's own form; whether that went well is the caller's to see."""
        self.session.get(f"{self.lms}/login").succeeded()
        return self.session.form(
            f"{self.lms}/api/user/v1/account/login_session/", {"email": email, "password": password}
        )

    def known_as(self) -> str:
        """The user name that the lms knows whoever is logged in by."""
        return str(self.session.get(f"{self.lms}/api/user/v1/me", "application/json").json()["username"])

    def register(self, name: str, email: str, password: str) -> None:
        self.session.get(f"{self.lms}/register").succeeded()
        fields = {"email": email, "username": name, "password": password, "name": name.capitalize()}
        agreed = {"terms_of_service": "true", "honor_code": "true"}
        self.session.form(f"{self.lms}/api/user/v1/account/registration/", {**fields, **agreed}).succeeded()
        self.name = name

    def activate(self, email: str) -> str:
        """Open the link of the activation mail; that link."""
        [link] = {each for each in mail(self.portal, email, "")["links"] if "/activate/" in each}
        self.session.get(str(link)).succeeded()
        return str(link)

    def find(self, words: str) -> list[str]:
        """The titles of courses that the search finds."""
        hits = self.session.form(f"{self.lms}/search/course_discovery/", {"search_string": words}).json()
        return [str(each["data"]["content"]["display_name"]) for each in hits["results"]]

    def find_in(self, key: str, words: str) -> int:
        """How many parts of a course the search finds."""
        return int(self.session.form(f"{self.lms}/search/{key}", {"search_string": words}).json()["total"])

    def finds(self, title: str, words: str) -> None:
        """Look until the search finds a course: an index shows what is new a moment later."""
        until(f"{title} found by {words!r}", lambda: title in self.find(words), limit=INDEX_LIMIT_SECONDS)

    def enrol(self, key: str) -> None:
        self.session.get(f"{self.lms}/courses/{key}/about").succeeded()
        enrolment = self.session.tell(
            f"{self.lms}/api/enrollment/v1/enrollment", {"course_details": {"course_id": key}}
        ).json()
        assert enrolment["is_active"], enrolment

    def courses(self) -> list[str]:
        """The keys of those that the learner is in."""
        enrolments = self.session.get(f"{self.lms}/api/enrollment/v1/enrollment", "application/json").json()
        return [str(each["course_details"]["course_id"]) for each in enrolments]

    def parts(self, key: str) -> dict[str, str]:
        """What the learner has of a course: the kind of each part by its key.

        Nothing while workers make the course's outline: of one that was just imported the lms has an old one, and fails.
        """
        query = f"course_id={quote(key)}&username={self.name}&depth=all"
        answer = self.session.get(f"{self.lms}/api/courses/v1/blocks/?{query}", "application/json")
        return (
            {}
            if answer.status == 500
            else {name: each["type"] for name, each in answer.json()["blocks"].items()}
        )

    def part(self, key: str, kind: str) -> str:
        """The one part of a kind that the learner has of a course."""
        [matching] = [name for name, each in self.parts(key).items() if each == kind]
        return matching

    def read(self, part: str) -> str:
        """A part's own page, which the pages of courses show in a frame."""
        return self.session.get(f"{self.lms}/xblock/{quote(part, safe='')}").succeeded().text

    def answer(self, key: str, problem: str, words: str) -> str:
        """Answer a problem of one question; what it says: `correct` or `incorrect`."""
        handler = f"{self.lms}/courses/{key}/xblock/{quote(problem, safe='')}/handler/xmodule_handler"
        problem_page = self.session.form(f"{handler}/problem_get", {}).json()
        [field] = set(re.findall(r'name="(input_[^"]+)"', html.unescape(problem_page["html"])))
        return str(self.session.form(f"{handler}/problem_check", {field: words}).json()["success"])

    def grade(self, key: str) -> float:
        """From 0 to 1, as the lms tells the learner."""
        url = f"{self.lms}/api/grades/v1/courses/{quote(key)}/?username={self.name}"
        [grade] = self.session.get(url, "application/json").json()
        return float(grade["percent"])

    def topics(self, key: str) -> list[str]:
        """What a course's discussion is divided into: its own and those of its lessons."""
        topic_tree = self.session.get(
            f"{self.lms}/api/discussion/v1/course_topics/{quote(key)}", "application/json"
        ).json()
        below = [child for each in topic_tree["courseware_topics"] for child in each["children"]]
        return [str(each["id"]) for each in (*topic_tree["non_courseware_topics"], *below) if each["id"]]

    def post(self, key: str, topic: str, title: str, words: str) -> str:
        """Begin a thread; its number."""
        fields = {
            "course_id": key,
            "topic_id": topic,
            "type": "discussion",
            "title": title,
            "raw_body": words,
        }
        return str(self.session.tell(f"{self.lms}/api/discussion/v1/threads/", fields).json()["id"])

    def reply(self, thread: str, words: str) -> None:
        fields = {"thread_id": thread, "raw_body": words}
        self.session.tell(f"{self.lms}/api/discussion/v1/comments/", fields).succeeded()

    def threads(self, key: str, words: str = "") -> list[str]:
        """The titles of threads, of those that have words if any are said."""
        query = f"course_id={quote(key)}" + (f"&text_search={quote(words)}" if words else "")
        thread_page = self.session.get(
            f"{self.lms}/api/discussion/v1/threads/?{query}", "application/json"
        ).json()
        return [str(each["title"]) for each in thread_page["results"]]

    def replies(self, thread: str) -> list[str]:
        query = f"thread_id={thread}"
        comment_page = self.session.get(
            f"{self.lms}/api/discussion/v1/comments/?{query}", "application/json"
        ).json()
        return [str(each["raw_body"]) for each in comment_page["results"]]

    def say_age(self) -> str:
        """Whoever says none is taken for a child, and shows no profile image; the address of the account."""
        account = f"{self.lms}/api/user/v1/accounts/{self.name}"
        kind = "application/merge-patch+json"
        self.session.tell(account, {"year_of_birth": 1990}, "PATCH", kind).succeeded()
        return account

    def show_face(self, picture: File) -> str:
        """Upload a profile image; the address of the largest that pages then show."""
        account = self.say_age()
        self.session.upload(f"{account}/image", "file", picture).succeeded()
        image_urls = self.session.get(account, "application/json").json()["profile_image"]
        assert image_urls["has_image"], image_urls
        return str(image_urls["image_url_full"])

    def image_of(self, key: str) -> str:
        """The address of a course's image."""
        course = self.session.get(
            f"{self.lms}/api/courses/v1/courses/{quote(key)}", "application/json"
        ).json()
        return str(course["media"]["course_image"]["uri"])

    def absolute(self, address: str) -> str:
        return self.lms + address if address.startswith("/") else address


class Staff(Learner):
    """The first admin, who is staff of every course."""

    def teach(self, key: str, what: str, **fields: str) -> Any:
        """A request of a course's page for instructors."""
        return self.session.form(f"{self.lms}/courses/{key}/instructor/api/{what}", fields).json()

    def enrol_by_mail(self, key: str, email: str) -> None:
        answer = self.teach(
            key,
            "students_update_enrollment",
            action="enroll",
            identifiers=email,
            auto_enroll="true",
            email_students="true",
        )
        [result] = answer["results"]
        assert not {"error", "invalidIdentifier"} & set(result), answer

    def allow_mail_to_courses(self) -> None:
        """What a site's administrator switches on once before a course can write to its learners."""
        page = f"{self.lms}/admin/bulk_email/bulkemailflag/add/"
        self.session.get(page).succeeded()
        self.session.form(
            page, {"enabled": "on", "csrfmiddlewaretoken": self.session.token(self.lms)}
        ).succeeded()

    def write_to(self, key: str, subject: str, words: str) -> None:
        """A mail to all learners of a course, by a task of the workers."""
        result = self.teach(
            key, "send_email", send_to=json.dumps(["myself", "learners"]), subject=subject, message=words
        )
        assert result["success"], result

    def make_grade_report(self, key: str) -> None:
        self.teach(key, "calculate_grades_csv")

    def reports(self, key: str) -> list[dict[str, Any]]:
        """The reports of a course, newest first: name and address of each."""
        reports: list[dict[str, Any]] = self.teach(key, "list_report_downloads")["downloads"]
        return reports


def mails(portal: Address, to: str) -> list[dict[str, Any]]:
    """The newest mails to somebody, as the mail sink's page tells the first admin."""
    session = Session(portal.door)
    words = b64encode(f"admin:{portal.password()}".encode()).decode()
    session.opener.addheaders = [("Authorization", f"Basic {words}")]
    messages: list[dict[str, Any]] = session.get(f"{portal.sink}/messages.json?to={quote(to)}").json()[
        "messages"
    ]
    return messages


def mail(portal: Address, to: str, words: str) -> dict[str, Any]:
    """Wait for a mail to somebody whose subject has words."""

    def came() -> dict[str, Any] | None:
        return next((each for each in mails(portal, to) if words.lower() in each["subject"].lower()), None)

    message = until(f"a mail to {to} of {words!r}", came, limit=MAIL_LIMIT_SECONDS)
    assert message is not None
    return message
