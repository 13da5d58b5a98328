"""The same journey as its pages offer it, by clicks in a browser: an author's course, a learner's grade, a teacher's report.

Studio's editors differ between releases, and are opened by none of these tests: a problem's text, dates and the grading
are set by the requests that they make (author.py). The tests of this file stand on each other.
"""

import csv
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from testbed.waiting import until
from tests.e2e.pictures import png
from tests.hub import olx
from tests.hub.address import Address
from tests.hub.author import PUBLISHED_LIMIT_SECONDS, TASK_LIMIT_SECONDS, Author
from tests.hub.learner import Learner, Staff
from tests.hub.pages import PAGE_LIMIT_MS, Complaints, Visitor, replace_mathjax_out_of_reach
from tests.hub.session import Session

pytestmark = [pytest.mark.hub, pytest.mark.timeout(3900)]

PASSWORD = "Dryopteris-filix-mas-1753"
QUESTION = "What unrolls in spring?"
ANSWER = "frond"


@dataclass(kw_only=True)
class Journey:
    """Two people's tabs, and what one test finds and a later one needs."""

    portal: Address
    number: str
    desk: Visitor
    pupil: Visitor
    staff: Staff
    author: Author
    learner: Learner
    complaints: Complaints
    course: str = ""
    unit: str = ""
    enrolled: bool = False
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"Ferns of the Ravine {self.number}"

    @property
    def email(self) -> str:
        return f"fay{self.number}@learners.example"


@pytest.fixture(scope="module")
def journey(portal: Address, browser: Browser, pictures: Path | None) -> Iterator[Journey]:
    complaints = Complaints(portal)
    contexts = [
        browser.new_context(viewport={"width": 1280, "height": 900}, locale="en", accept_downloads=True)
        for _ in range(2)
    ]
    for each in contexts:
        complaints.listen_to(each)
        replace_mathjax_out_of_reach(each)
        each.set_default_timeout(PAGE_LIMIT_MS)
    desk, pupil = (Visitor(page=each.new_page(), portal=portal, pictures=pictures) for each in contexts)
    session = Session(portal.door)
    yield Journey(
        portal=portal,
        number=secrets.token_hex(3),
        desk=desk,
        pupil=pupil,
        staff=Staff(portal, session),
        author=Author(portal, session),
        learner=Learner(portal, Session(portal.door)),
        complaints=complaints,
    )
    for each in contexts:
        each.close()


def needs(*found: object) -> None:
    """Raise AssertionError where an earlier test has not found what this one stands on."""
    assert all(found), "an earlier test of this file failed"


def test_the_first_admin_logs_in_on_the_page(journey: Journey) -> None:
    journey.desk.log_in(journey.portal.admin, journey.portal.password())
    journey.staff.session.adopt(journey.desk.page.context.cookies())
    assert journey.staff.known_as() == "admin"


def test_studio_opens_without_a_second_log_in(journey: Journey) -> None:
    journey.desk.open_studio()
    # For what studio's editors would be opened for.
    journey.author.session.adopt(journey.desk.page.context.cookies())
    assert journey.portal.site(journey.author.open_studio()) == journey.portal.cms


def test_an_author_makes_a_course_on_studio_s_pages(journey: Journey) -> None:
    """Course, section, subsection, unit, and in it a video, a problem and a discussion."""
    desk, author = journey.desk, journey.author
    desk.open_studio()
    key = desk.create_course(journey.title, "hub", "FR101", f"b{journey.number}")
    author.details(key, start_date="2020-01-01T00:00:00Z", overview="<p>Spores and shade.</p>")
    author.grade_by(key, "Homework")
    section, lesson, unit = desk.add_unit(key)
    journey.parts["video"] = desk.add_component("video")
    journey.parts["problem"] = desk.add_component("problem", "text input")
    # Where each unit has a discussion of its own, the page offers none more.
    journey.parts["discussion"] = (
        desk.add_component("discussion")
        if desk.control("discussion").is_visible()
        else author.add(unit, "discussion", "Talk", metadata={"discussion_target": "Ferns"})
    )
    author.change(
        journey.parts["problem"],
        data=(
            f'<problem><stringresponse answer="{ANSWER}" type="ci"><label>{QUESTION}</label><textline/>'
            "</stringresponse></problem>"
        ),
        metadata={"display_name": "Question"},
    )
    author.change(lesson, graderType="Homework")
    journey.course, journey.unit = key, unit
    # Written by requests while the page wrote too: what is lost is missed here, not in a learner's grade.
    assert author.graders(key) == ["Homework"]
    assert author.details(key)["start_date"] == "2020-01-01T00:00:00Z"
    assert all(section != part for part in (lesson, unit, *journey.parts.values()))


def test_an_author_publishes_it(journey: Journey) -> None:
    needs(journey.unit)
    journey.desk.page.goto(f"{journey.portal.cms}/container/{journey.unit}")
    journey.desk.publish_unit()


def test_an_author_gives_it_an_image(journey: Journey, tmp_path: Path) -> None:
    needs(journey.course)
    picture = tmp_path / "fern.png"
    picture.write_bytes(png(378, 225))
    journey.desk.upload_course_image(journey.course, picture)

    def shown() -> str:
        image = journey.staff.image_of(journey.course)
        return image if picture.name in image else ""

    address = until("the course's image on the lms", shown, limit=PUBLISHED_LIMIT_SECONDS)
    answer = Session(journey.portal.door).get(journey.staff.absolute(address)).succeeded()
    assert answer.body == picture.read_bytes()


def test_an_author_imports_a_course(journey: Journey, tmp_path: Path) -> None:
    archive = tmp_path / "mosses.tar.gz"
    archive.write_bytes(olx.archive())
    key = journey.author.create(olx.ORG, olx.NUMBER, f"b{journey.number}", "To be imported")
    journey.desk.import_archive(key, archive)
    assert journey.author.details(key)["run"] == f"b{journey.number}"


def test_a_learner_logs_in_on_the_page(journey: Journey) -> None:
    learner = journey.learner
    learner.register(f"fay{journey.number}", journey.email, PASSWORD)
    learner.activate(journey.email)
    learner.session.jar.clear()
    journey.pupil.log_in(journey.email, PASSWORD)
    learner.session.adopt(journey.pupil.page.context.cookies())
    assert learner.known_as() == learner.name


def test_a_learner_finds_the_course_and_enrols(journey: Journey) -> None:
    needs(journey.course)
    journey.pupil.find_course(journey.title, journey.number)
    journey.pupil.enrol(journey.title)
    assert journey.learner.courses() == [journey.course]
    journey.enrolled = True


def test_a_learner_answers_and_sees_the_grade(journey: Journey) -> None:
    needs(journey.enrolled, journey.unit)
    pupil = journey.pupil
    until(
        "the lesson in the course's outline",
        lambda: journey.parts["problem"] in journey.learner.parts(journey.course),
        limit=TASK_LIMIT_SECONDS,
    )
    pupil.open_course(journey.course, journey.title)
    assert not pupil.sees_grade(100)
    pupil.open_course(journey.course, journey.title)
    unit = pupil.open_lesson()
    pupil.answer(unit, QUESTION, "a stone", "incorrect")
    pupil.answer(unit, QUESTION, ANSWER, "correct")

    def graded() -> bool:
        pupil.open_course(journey.course, journey.title)
        return pupil.sees_grade(100)

    until("the grade on the page of progress", graded, limit=TASK_LIMIT_SECONDS)


def test_a_learner_posts_in_the_discussion(journey: Journey) -> None:
    needs(journey.enrolled)
    journey.pupil.open_course(journey.course, journey.title)
    journey.pupil.post("Where is it wet enough?", "By the spring, I think.")
    assert journey.learner.threads(journey.course) == ["Where is it wet enough?"]


def test_a_teacher_downloads_a_grade_report(journey: Journey) -> None:
    needs(journey.enrolled)
    rows = csv.DictReader(io.StringIO(journey.desk.download_grade_report(journey.course)))
    assert journey.email in {row["Email"] for row in rows}


def test_a_learner_shows_a_face_on_the_page(journey: Journey, tmp_path: Path) -> None:
    needs(journey.enrolled)
    picture = tmp_path / "face.png"
    picture.write_bytes(png(240, 240))
    journey.learner.say_age()
    address = journey.pupil.upload_face(journey.learner.name, picture)
    answer = Session(journey.portal.door).get(journey.learner.absolute(address)).succeeded()
    assert answer.body[:2] == b"\xff\xd8"


def test_no_page_missed_anything_of_the_portal_s_own(journey: Journey) -> None:
    """No file that is not there, nothing that a site refused to its own pages, no error of a server."""
    needs(journey.enrolled)
    assert not journey.complaints.found, "\n".join(journey.complaints.found)
