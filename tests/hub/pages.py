"""What people do on the real Open edX's pages, in a browser. Elements are found by what people read, not by one release's markup."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    FrameLocator,
    Locator,
    Page,
    Response,
    Route,
    expect,
)

from config.portal.routes import HTTP_PORT
from testbed.waiting import until
from tests.hub.address import Address
from tests.hub.author import TASK_LIMIT_SECONDS

PAGE_LIMIT_MS = 60_000
FOREIGN_LIMIT_MS = 5_000
INDEX_LIMIT_SECONDS = 120.0
COURSE_KEY = re.compile(r"course-v1:[\w.-]+\+[\w.-]+\+[\w.-]+")
UNIT_KEY = re.compile(r"block-v1:[\w.+-]+\+type@vertical\+block@\w+")
# What a browser says where a site keeps it from something that the page needs.
REFUSED = re.compile(
    r"Content.Security.Policy|CORS policy|X-Frame-Options|frame-ancestors|Mixed Content|MIME type|SameSite|Refused to",
    re.IGNORECASE,
)
# Pages of studio and problems of courses do not run without MathJax, which they take from a site of others.
MATHJAX = re.compile(r"/MathJax\.js")
# In its place where that site is out of reach: it has whatever it is asked for, and draws nothing.
NO_MATHJAX = (
    "const any = new Proxy(function () {}, {apply: () => any, construct: () => any, "
    "get: (_, key) => key === 'then' ? undefined : key === Symbol.toPrimitive ? () => '' : any});"
    "window.MathJax = any;"
)
# What edx-platform's own pages ask for in vain: no setting of a portal gives it to them.
MISSING_IN_OPEN_EDX = (
    # The image of a course that has none yet.
    re.compile("@images_course_image\\.jpg$"),
    # A style that was removed, and whose name stayed.
    re.compile("/css/vendor/jquery\\.autocomplete\\.css$"),
    # A folder that is named twice in a style's own addresses; the browser finds other fonts.
    re.compile("/paragon/static/static/"),
    # A video's length, for which YouTube gives a key.
    re.compile("/courses/yt_video_metadata$"),
)
PARTS_OF_PAGES = frozenset(("document", "stylesheet", "script", "image", "font", "media"))


def words(text: str) -> re.Pattern[str]:
    """These words, whatever their case and what stands around them."""
    return re.compile(rf"\b{re.escape(text)}", re.IGNORECASE)


@dataclass
class Complaints:
    """What a browser complains of that is a portal's own fault: not that YouTube is away, but that a file of its own is."""

    portal: Address
    found: list[str] = field(default_factory=list)

    def listen_to(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and REFUSED.search(message.text):
            self._note(f"{message.text} (at {urlsplit(message.location['url']).path})")

    def _answered(self, response: Response) -> None:
        place = urlsplit(response.url)
        if (place.port or HTTP_PORT) != self.portal.door[1] or response.status < 400:
            return
        if any(each.search(place.path) for each in MISSING_IN_OPEN_EDX):
            return
        if response.status >= 500 or response.request.resource_type in PARTS_OF_PAGES:
            self._note(f"{response.status} from {response.request.method} {response.url}")

    def _note(self, text: str) -> None:
        if text not in self.found:
            self.found.append(text)


def replace_mathjax_out_of_reach(context: BrowserContext) -> None:
    """Let pages run on a machine that reaches no other sites."""

    def answer(route: Route) -> None:
        try:
            route.fulfill(response=route.fetch(timeout=FOREIGN_LIMIT_MS))
        except Error:
            route.fulfill(body=NO_MATHJAX, content_type="text/javascript")

    context.route(MATHJAX, answer)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody with a browser. `pictures` is the folder that screenshots go to, if any."""

    page: Page
    portal: Address
    pictures: Path | None = None

    def __post_init__(self) -> None:
        # Who comes to a course for the first time is asked whether to be shown around.
        tour = self.page.get_by_role("button", name=words("skip for now"))
        self.page.add_locator_handler(tour, lambda button: button.click())

    def picture(self, name: str) -> None:
        if self.pictures:
            self.page.screenshot(path=self.pictures / f"{self.portal.release}-{name}.png")

    def log_in(self, email: str, password: str) -> None:
        """By the page that the portal shows, of the lms itself or of a front end."""
        self.page.goto(f"{self.portal.lms}/login")
        self.field("email").fill(email)
        self.page.get_by_label(words("password")).and_(self.page.locator("input")).first.fill(password)
        self.picture("log-in")
        self.press("sign in")
        expect(self.page).not_to_have_url(re.compile("/(login|authn)"))
        self.picture("logged-in")

    # The author.

    def open_studio(self) -> None:
        """Studio's home, which asks for no password of its own."""
        self.page.goto(f"{self.portal.cms}/home/")
        expect(self.control("new course")).to_be_visible()
        self.picture("studio")

    def create_course(self, title: str, org: str, number: str, run: str) -> str:
        """On studio's home; the course's key. It ends on the course's outline, when that is all there."""
        self.press("new course")
        for label, text in (
            ("course name", title),
            ("organization", org),
            ("course number", number),
            ("course run", run),
        ):
            # Key by key: the form looks at what is typed before it can be sent.
            self.field(label).press_sequentially(text)
        self.page.get_by_role("button", name="Create", exact=True).click()
        expect(self.page).to_have_url(re.compile("course-v1"))
        # The outline's first requests write too. Of two writes at once studio keeps one, and says nothing of the other:
        # without this wait eight courses of nine lost one, four of them their dates or their grading.
        self.page.wait_for_load_state("networkidle")
        return COURSE_KEY.search(unquote(self.page.url)).group()  # type: ignore[union-attr]

    def add_unit(self, key: str) -> tuple[str, str, str]:
        """A section, a subsection and a unit, on the course's outline; their keys. It ends on the unit's page."""
        self._open(f"{self.portal.cms}/course/{key}")
        section = self._made(lambda: self.press("new section"))
        subsection = self._made(lambda: self.press("new subsection"))
        self.press("new unit")
        expect(self.page).to_have_url(re.compile("/container/"))
        return section, subsection, UNIT_KEY.search(unquote(self.page.url)).group()  # type: ignore[union-attr]

    def add_component(self, kind: str, template: str = "") -> str:
        """On a unit's page; the component's key."""
        if not template:
            return self._made(lambda: self.press(kind))
        self.press(kind)
        return self._made(lambda: self.press(template))

    def publish_unit(self) -> None:
        """On a unit's page."""
        self.page.reload(wait_until="networkidle")
        self.control("publish", exact=True).click()
        expect(
            self.page.get_by_text(re.compile(r"^\s*(Publishing Status\s+)?Published")).first
        ).to_be_visible()
        self.picture("unit")

    def import_archive(self, key: str, archive: Path) -> None:
        """On the course's own page for it, which says when the task is done."""
        self._open(f"{self.portal.cms}/import/{key}")
        with self.page.expect_file_chooser() as chooser:
            self.press("choose a file")
        chooser.value.set_files(archive)
        self.press("replace my course")
        done = self.control("view updated outline")
        expect(done).to_be_visible(timeout=TASK_LIMIT_SECONDS * 1000)
        self.picture("import")

    def upload_course_image(self, key: str, picture: Path) -> None:
        """On the page of schedule and details."""
        self._open(f"{self.portal.cms}/settings/details/{key}")
        self.press("upload course card image")
        self.page.locator("input[type=file]").last.set_input_files(picture)
        self.control("upload", exact=True).click()
        self.control("save changes").click()
        expect(self.page.get_by_text("changes have been saved").first).to_be_visible()
        self.picture("course-image")

    # The learner.

    def find_course(self, title: str, search: str) -> None:
        """By the catalogue's search; ends on the course's own page. An index shows what is new a moment later."""

        def finds(words: str) -> bool:
            self._open(f"{self.portal.lms}/courses")
            self.field("search").fill(words)
            self.field("search").press("Enter")
            self.page.wait_for_load_state("networkidle")
            # Where nothing is found the page may list all courses.
            links = self.page.get_by_role("link").evaluate_all("links => links.map(link => link.href)")
            found = {key.group() for each in links if (key := COURSE_KEY.search(unquote(each)))}
            return len(found) == 1 and self._course(title).is_visible()

        until(f"{title} found by {search!r}", lambda: finds(search), limit=INDEX_LIMIT_SECONDS)
        self.picture("search")
        self._course(title).click()
        expect(self.page).to_have_url(re.compile("/about"))

    def enrol(self, title: str) -> None:
        """On the course's page; ends on the dashboard, which then has it."""
        self.picture("about")
        self.press("enroll")
        expect(self.page.get_by_role("heading", name=words(title)).first).to_be_visible()
        self.picture("dashboard")

    def open_course(self, key: str, title: str) -> None:
        """From the dashboard; ends on the course's home, in the front end where the release has one."""
        self.page.goto(f"{self.portal.lms}/dashboard")
        self._course(title).click()
        expect(self.page).to_have_url(re.compile(re.escape(key)))
        expect(self.control("course", begins="start|resume")).to_be_visible()
        self.picture("course")

    def open_lesson(self) -> FrameLocator:
        """From the course's home; the unit, which is a page of the lms in a frame."""
        self.control("course", begins="start|resume").click()
        return self.page.frame_locator("iframe[src*='/xblock/']")

    def answer(self, unit: FrameLocator, question: str, text: str, verdict: str) -> None:
        """A problem in a unit; the page then says `verdict`."""
        unit.get_by_role("textbox", name=words(question)).fill(text)
        unit.get_by_role("button", name="Submit", exact=True).click()
        expect(unit.get_by_text(re.compile(rf"^\s*{verdict}", re.IGNORECASE)).first).to_be_visible()
        self.picture(f"answer-{verdict}")

    def sees_grade(self, percent: int) -> bool:
        """On the page of progress, where the course's tab leads."""
        self.page.get_by_role("link", name="Progress", exact=True).click()
        expect(self.page.get_by_role("heading", name=words("progress")).first).to_be_visible()
        # The front end's words, and those of the lms's own page: it also names weights and limits in per cent.
        wording = re.compile(rf"current grade is {percent}%|\(\d+/\d+\)\s+{percent}%")
        shown = self.page.get_by_text(wording).first.is_visible()
        self.picture("progress")
        return shown

    def post(self, title: str, text: str) -> None:
        """A thread in the course's discussion, where the course's tab leads; the page then shows it."""
        self.page.get_by_role("link", name="Discussion", exact=True).click()
        self.press("add a post")
        self.field("title").fill(title)
        rich = self.page.frame_locator("iframe[title='Rich Text Area']").locator("body")
        form = self.page.locator("form").filter(has=self.page.get_by_role("textbox", name=words("title")))
        plain = form.get_by_role("textbox").nth(1)
        expect(plain.or_(self.page.locator("iframe[title='Rich Text Area']")).first).to_be_visible()
        (plain if plain.is_visible() else rich).fill(text)
        self.press("submit")
        expect(self.page.get_by_role("heading", name=words(title)).first).to_be_visible()
        expect(self.page.get_by_text(text).first).to_be_visible()
        self.picture("discussion")

    def upload_face(self, name: str, picture: Path) -> str:
        """On the learner's profile; the address of the picture that it then shows."""
        self._open(f"{self.portal.lms}/u/{name}")
        with self.page.expect_file_chooser() as chooser:
            self.press("upload an image")
        chooser.value.set_files(picture)
        face = self.page.locator("img[src*='/media/profile-images/']").first
        expect(face).to_be_visible()
        assert face.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
        self.picture("profile")
        return str(face.get_attribute("src"))

    # Who teaches.

    def download_grade_report(self, key: str) -> str:
        """Asked for and downloaded on the page for instructors; the text of the file."""
        self._open(f"{self.portal.lms}/courses/{key}/instructor#view-data_download")
        self.press("generate grade report")
        report = self.page.get_by_role("link", name=re.compile("grade_report.*csv")).first

        def listed() -> bool:
            if not report.is_visible():
                self.page.reload()
                self.page.wait_for_load_state("networkidle")
            return report.is_visible()

        until("the grade report on the page", listed, limit=TASK_LIMIT_SECONDS)
        self.picture("reports")
        with self.page.expect_download() as download:
            report.click()
        return download.value.path().read_text(encoding="utf-8-sig")

    # What they press and fill in.

    def control(self, name: str, *, exact: bool = False, begins: str = "") -> Locator:
        """The first button or link of that name that can be seen."""
        wording = re.compile(rf"({begins})\s+{name}", re.IGNORECASE) if begins else words(name)
        if exact:
            wording = re.compile(rf"^\s*{re.escape(name)}\s*$", re.IGNORECASE)
        controls = self.page.get_by_role("button", name=wording).or_(
            self.page.get_by_role("link", name=wording)
        )
        return controls.first

    def press(self, name: str) -> None:
        self.control(name).click()

    def field(self, label: str) -> Locator:
        """The first field of that label that can be seen."""
        wording = words(label)
        fields = self.page.get_by_role("textbox", name=wording)
        for role in ("searchbox", "combobox"):
            fields = fields.or_(self.page.get_by_role(role, name=wording))
        return fields.first

    def _open(self, url: str) -> None:
        """Until its scripts are there: a press before does nothing."""
        self.page.goto(url, wait_until="networkidle")

    def _course(self, title: str) -> Locator:
        return self.page.get_by_role("link", name=words(title)).first

    def _made(self, press: Callable[[], None]) -> str:
        """The key of what studio makes when something is pressed."""
        with self.page.expect_response(_makes) as made:
            press()
        return str(made.value.json()["locator"])


def _makes(response: Response) -> bool:
    return response.request.method == "POST" and urlsplit(response.url).path.rstrip("/") == "/xblock"
