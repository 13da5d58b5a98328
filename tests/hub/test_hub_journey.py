"""What people install a portal for, from the author's first course to the learner's grade, on the real Open edX.

The tests of this file stand on each other: one portal, one author, one learner.
"""

import csv
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from testbed.waiting import until
from tests.e2e.pictures import png
from tests.hub import olx
from tests.hub.address import Address
from tests.hub.author import PUBLISHED_LIMIT_SECONDS, TASK_LIMIT_SECONDS, Author
from tests.hub.learner import Learner, Staff, mail
from tests.hub.session import File, Session

pytestmark = [pytest.mark.hub, pytest.mark.timeout(3900)]

PASSWORD = "Peltigera-canina-1753"
TITLE = "Lichens of the Coast"
WORD = "thallus"


@dataclass(kw_only=True)
class Journey:
    """What one test finds and a later one needs. A number of its own keeps one run's from another's."""

    portal: Address
    number: str
    staff: Staff
    author: Author
    learner: Learner
    course: str = ""
    imported: str = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"lynn{self.number}@learners.example"


@pytest.fixture(scope="module")
def journey(portal: Address) -> Journey:
    desk = Session(portal.door)
    return Journey(
        portal=portal,
        number=secrets.token_hex(3),
        staff=Staff(portal, desk),
        author=Author(portal, desk),
        learner=Learner(portal, Session(portal.door)),
    )


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en")
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def needs(*reason: str) -> None:
    """Raise AssertionError where an earlier test has not found what this one stands on."""
    assert all(reason), "an earlier test of this file failed"


def test_the_first_admin_logs_in(journey: Journey) -> None:
    """With what `up` has written, and not with another password."""
    wrong = journey.staff.log_in(journey.portal.admin, "not the password")
    assert 400 <= wrong.status < 500, wrong.text
    journey.staff.log_in(journey.portal.admin, journey.portal.password()).succeeded()
    assert journey.staff.known_as() == "admin"


def test_studio_takes_whoever_is_logged_in_to_the_lms(journey: Journey) -> None:
    assert journey.portal.site(journey.author.open_studio()) == journey.portal.cms


def test_a_stranger_is_not_let_into_studio(journey: Journey) -> None:
    answer = Session(journey.portal.door).get(f"{journey.portal.cms}/home/")
    assert journey.portal.site(answer.url) != journey.portal.cms or "login" in urlsplit(answer.url).path


def test_an_author_makes_and_publishes_a_course(journey: Journey) -> None:
    """A video, a problem and a discussion, in one lesson that counts for the grade."""
    author = journey.author
    key = author.create("hub", "LC101", f"r{journey.number}", TITLE)
    root = key.replace("course-v1:", "block-v1:") + "+type@course+block@course"
    week = author.add(root, "chapter", "Week 1")
    lesson = author.add(week, "sequential", "Lesson")
    unit = author.add(lesson, "vertical", "Unit")
    journey.parts["html"] = author.add(
        unit, "html", "What a lichen is", data=f"<p>The {WORD} is its body.</p>", metadata={}
    )
    journey.parts["video"] = author.add(unit, "video", "A walk", metadata={"youtube_id_1_0": "3_yD_cEKoCk"})
    journey.parts["problem"] = author.add(
        unit,
        "problem",
        "Question",
        data=(
            '<problem><stringresponse answer="fungus" type="ci"><label>An alga and a …?</label><textline/>'
            "</stringresponse></problem>"
        ),
        metadata={},
    )
    journey.parts["discussion"] = author.add(
        unit,
        "discussion",
        "Talk",
        metadata={"discussion_category": "Week 1", "discussion_target": "Lichens"},
    )
    author.grade_by(key, "Homework")
    author.change(lesson, graderType="Homework")
    author.details(key, start_date="2020-01-01T00:00:00Z", overview="<p>Two that live as one.</p>")
    author.publish(week)
    journey.parts["unit"] = unit
    journey.course = key


def test_an_author_gives_a_course_its_image(journey: Journey) -> None:
    """The lms serves it to whoever sees the course's page."""
    needs(journey.course)
    picture = File(name="lichen.png", kind="image/png", data=png(378, 225))
    asset = journey.author.upload(journey.course, picture)
    assert asset["display_name"] == picture.name
    author = journey.author
    author.details(journey.course, course_image_name=picture.name)

    def shown() -> str:
        image = journey.staff.image_of(journey.course)
        return image if picture.name in image else ""

    address = until("the course's image on the lms", shown, limit=PUBLISHED_LIMIT_SECONDS)
    answer = Session(journey.portal.door).get(journey.staff.absolute(address)).succeeded()
    assert answer.body == picture.data


def test_a_course_is_imported(journey: Journey) -> None:
    """From an archive of OLX, by a task of cms-workers."""
    key = journey.author.create(olx.ORG, olx.NUMBER, f"r{journey.number}", "To be imported")
    journey.author.import_archive(
        key, File(name="mosses.tar.gz", kind="application/gzip", data=olx.archive())
    )
    journey.author.details(key, start_date="2020-01-01T00:00:00Z")
    journey.imported = key


def test_a_course_is_exported(journey: Journey) -> None:
    """What comes out has what went in, and nobody else gets it."""
    needs(journey.imported)
    archive = journey.author.export_archive(journey.imported)
    assert archive[:2] == b"\x1f\x8b"
    for path in ("/media/user_tasks/", "/media/private/reports/"):
        assert Session(journey.portal.door).get(journey.portal.lms + path).status in (403, 404)


def test_a_learner_registers_and_activates_the_account_by_mail(journey: Journey) -> None:
    learner = journey.learner
    learner.register(f"lynn{journey.number}", journey.email, PASSWORD)
    assert journey.portal.site(learner.activate(journey.email)) == journey.portal.lms
    learner.session.jar.clear()
    learner.log_in(journey.email, PASSWORD).succeeded()
    assert learner.known_as() == learner.name


def test_a_learner_finds_both_courses(journey: Journey) -> None:
    needs(journey.course, journey.imported)
    journey.learner.finds(TITLE, "lichens")
    journey.learner.finds(olx.TITLE, "mosses")
    assert TITLE not in journey.learner.find("volcanoes")


def test_a_learner_enrols(journey: Journey) -> None:
    needs(journey.course, journey.imported)
    for key in (journey.course, journey.imported):
        journey.learner.enrol(key)
    assert set(journey.learner.courses()) == {journey.course, journey.imported}


def test_a_learner_has_all_parts_of_a_lesson(journey: Journey) -> None:
    needs(journey.course, journey.imported)
    learner = journey.learner
    for key, kinds in (
        (journey.course, {"html", "video", "problem", "discussion"}),
        (journey.imported, {"html", "problem", "discussion"}),
    ):
        until(
            f"a lesson of {key} with {kinds}",
            lambda key=key, kinds=kinds: kinds <= set(learner.parts(key).values()),  # type: ignore[misc]
            limit=TASK_LIMIT_SECONDS,
        )
    text = learner.read(learner.part(journey.course, "vertical"))
    assert WORD in text
    assert "3_yD_cEKoCk" in text


def test_what_a_course_says_is_found_in_it(journey: Journey) -> None:
    needs(journey.course)
    learner = journey.learner
    until(
        f"{WORD!r} found in the course",
        lambda: learner.find_in(journey.course, WORD),
        limit=PUBLISHED_LIMIT_SECONDS,
    )
    assert learner.find_in(journey.course, "volcanoes") == 0


def test_an_answer_counts_for_the_grade(journey: Journey) -> None:
    needs(journey.course, journey.imported)
    learner = journey.learner
    for key, right in ((journey.course, "fungus"), (journey.imported, olx.WORD)):
        problem = learner.part(key, "problem")
        assert learner.answer(key, problem, "a stone") == "incorrect"
        assert learner.grade(key) == 0.0
        assert learner.answer(key, problem, right) == "correct"
        until(
            "the grade to count the answer",
            lambda key=key: learner.grade(key) == 1.0,  # type: ignore[misc]
            limit=TASK_LIMIT_SECONDS,
        )


def test_people_talk_in_the_course_s_discussion(journey: Journey) -> None:
    """By the REST API that the pages of all releases use: those of a release without MFEs show the same threads."""
    needs(journey.course)
    learner, staff = journey.learner, journey.staff
    thread = learner.post(
        journey.course, learner.topics(journey.course)[0], "Where do they grow?", "I found none."
    )
    staff.reply(thread, "On the north side. 🎓")
    assert learner.threads(journey.course) == ["Where do they grow?"]
    assert learner.replies(thread) == ["On the north side. 🎓"]
    until(
        "the thread to be found by a word",
        lambda: learner.threads(journey.course, "grow") == ["Where do they grow?"],
        limit=PUBLISHED_LIMIT_SECONDS,
    )


def test_a_worker_makes_a_grade_report_that_only_staff_reads(journey: Journey) -> None:
    needs(journey.course)
    staff = journey.staff
    staff.make_grade_report(journey.course)
    report = until(
        "the grade report",
        lambda: [each for each in staff.reports(journey.course) if "grade_report" in each["name"]],
        limit=TASK_LIMIT_SECONDS,
    )
    address = staff.absolute(str(report[0]["url"]))
    rows = list(csv.DictReader(io.StringIO(staff.session.get(address).succeeded().text.lstrip("\ufeff"))))
    assert {row["Email"]: float(row["Grade"]) for row in rows}[journey.email] == 1.0
    for somebody in (Session(journey.portal.door), journey.learner.session):
        assert somebody.get(address).status == 404


def test_who_is_enrolled_by_an_instructor_gets_a_mail(journey: Journey) -> None:
    needs(journey.course)
    email = f"fern{journey.number}@learners.example"
    journey.staff.enrol_by_mail(journey.course, email)
    message = mail(journey.portal, email, TITLE)
    assert any(journey.portal.site(link) == journey.portal.lms for link in message["links"])


def test_a_course_writes_to_its_learners(journey: Journey) -> None:
    """By a task of lms-workers."""
    needs(journey.course)
    journey.staff.allow_mail_to_courses()
    journey.staff.write_to(journey.course, "A walk on Sunday", "<p>Bring a lens.</p>")
    message = mail(journey.portal, journey.email, "A walk on Sunday")
    assert "Bring a lens." in message["text"]


def test_a_password_is_changed_by_mail(journey: Journey) -> None:
    learner = Learner(journey.portal, Session(journey.portal.door))
    learner.session.get(f"{journey.portal.lms}/login").succeeded()
    learner.session.form(f"{journey.portal.lms}/account/password", {"email": journey.email}).succeeded()
    message = mail(journey.portal, journey.email, "password reset")
    [link] = {each for each in message["links"] if "/password_reset_confirm/" in each}
    assert journey.portal.site(link) == journey.portal.lms
    page = learner.session.get(link).succeeded()
    new = "Xanthoria-parietina-1794"
    learner.session.form(page.url, {"new_password1": new, "new_password2": new}).succeeded()
    assert 400 <= learner.log_in(journey.email, PASSWORD).status < 500
    learner.log_in(journey.email, new).succeeded()


def test_a_learner_shows_a_face(journey: Journey) -> None:
    """Drawn anew by Open edX, served from the drive by nginx, to be seen by whoever may see the profile."""
    picture = File(name="face.png", kind="image/png", data=png(240, 240))
    learner = journey.learner
    learner.log_in(journey.email, "Xanthoria-parietina-1794").succeeded()
    address = learner.absolute(learner.show_face(picture))
    assert urlsplit(address).path.startswith("/media/profile-images/")
    answer = Session(journey.portal.door).get(address).succeeded()
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.body[:2] == b"\xff\xd8"


def test_pages_are_drawn_in_a_browser(journey: Journey, page: Page, pictures: Path | None) -> None:
    """Each with the portal's own names, and none with an error of the server's."""
    needs(journey.course)
    page.context.add_cookies(journey.staff.session.cookies())  # type: ignore[arg-type]
    looks = {
        "lms": f"{journey.portal.lms}/",
        "dashboard": f"{journey.portal.lms}/dashboard",
        "about": f"{journey.portal.lms}/courses/{journey.course}/about",
        "instructor": f"{journey.portal.lms}/courses/{journey.course}/instructor",
        "unit": f"{journey.portal.lms}/xblock/{journey.parts['unit']}",
        "studio": f"{journey.portal.cms}/home/",
        "outline": f"{journey.portal.cms}/course/{journey.course}",
    }
    for name, url in looks.items():
        answer = page.goto(url, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status == 200, f"{answer.status} from {url}"
        if pictures:
            page.screenshot(path=pictures / f"{journey.portal.release}-{name}.png")
