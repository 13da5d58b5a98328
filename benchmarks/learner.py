"""A learner of a portal under load, in locust's words: register to the last unit, and again as somebody else.

Run by locust in its own virtual environment (benchmarks/load.py), so it imports nothing of this project.
"""

import html
import itertools
import json
import os
import random
import re
from pathlib import Path

from locust import HttpUser, between, events, task
from locust.env import Environment

HOST = os.environ["LOAD_HOST"]
COURSES = os.environ["LOAD_COURSES"].split(",")
REPORT = Path(os.environ["LOAD_REPORT"])
PASSWORD = "correct horse battery staple"
PATIENCE_SECONDS = 30
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
numbers = itertools.count()


class Stopped(Exception):
    """A page was not the expected one; the learner starts again."""


class Learner(HttpUser):
    """Reads each page for a while. Every answer that is not the expected page counts as an error, whatever its code."""

    wait_time = between(1, 3)

    @task
    def journey(self) -> None:
        """One learner, from registration to the last unit."""
        self.client.cookies.clear()
        # The load balancer tells portals apart by it; every machine resolves 127.0.0.1.
        self.client.headers["Host"] = HOST
        name = f"l{os.getpid()}-{next(numbers)}-{random.randrange(10**6)}"
        course = random.choice(COURSES)
        try:
            self.walk(name, course)
        except Stopped:
            return

    def walk(self, name: str, course: str) -> None:
        """Open the pages of a course one after the other."""
        self.page("/", "front page", "Stand-in")
        form = self.page("/register", "registration form", "Public user name")
        account = {"email": f"{name}@bench.localhost", "username": name}
        self.send(
            "/register",
            "register",
            form,
            f"Dashboard of {name}",
            **account,
            password1=PASSWORD,
            password2=PASSWORD,
        )
        self.send("/logout", "log out", self.page("/dashboard", "dashboard", name), "Log in")
        form = self.page("/login", "log-in form", "user name")
        self.send("/login", "log in", form, f"Dashboard of {name}", username=name, password=PASSWORD)
        self.page("/courses", "catalogue", course)
        self.page("/search?q=load", "search", "10 found")
        about = self.page(f"/courses/{course}/about", "about a course", "Enrol")
        inside = self.send(f"/courses/{course}/enroll", "enrol", about, "0 of 1 units done")
        form = self.page(f"/courses/{course}/discussion/forum/", "discussion", "New post")
        words = {"title": f"A question of {name}", "body": "Who else is here?"}
        self.send(f"/courses/{course}/discussion/forum/", "post", form, f"A question of {name}", **words)
        self.page(f"/courses/{course}/discussion/forum/", "discussion", "A question of")
        inside = self.page(f"/courses/{course}/course/", "course", "Mark as done")
        self.send(f"/courses/{course}/complete", "complete", inside, "1 of 1 units done")
        self.page("/dashboard", "dashboard", "done on")

    def page(self, path: str, name: str, expected: str) -> str:
        """Get a page, under a name for the report; returns its text."""
        return self.ask("GET", path, name, expected)

    def send(self, path: str, name: str, form: str, expected: str, **fields: str) -> str:
        """Submit the form of the current page; returns the text of the next page."""
        token = TOKEN.search(form)
        assert token is not None
        return self.ask("POST", path, name, expected, {**fields, "csrfmiddlewaretoken": token[1]})

    def ask(
        self, method: str, path: str, name: str, expected: str, data: dict[str, str] | None = None
    ) -> str:
        """Send a request and follow redirects; they count as one time."""
        with self.client.request(
            method, path, name=name, data=data, timeout=PATIENCE_SECONDS, catch_response=True
        ) as answer:
            text = html.unescape(answer.text or "")
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code} {answer.error or ''}"[:200])
            elif expected not in text:
                answer.failure(f"no {expected.split(' of ')[0]!r} in it: {' '.join(text.split())[:100]!r}")
            else:
                answer.success()
                self.wait()
                return text
        self.wait()
        raise Stopped


@events.quitting.add_listener
def report(environment: Environment, **_: object) -> None:
    """Write the results as JSON."""
    stats = environment.stats
    pages = {
        entry.name: {
            "requests": entry.num_requests,
            "errors": entry.num_failures,
            "p50_ms": entry.get_response_time_percentile(0.5),
            "p95_ms": entry.get_response_time_percentile(0.95),
            "longest_ms": round(entry.max_response_time),
        }
        for entry in (*stats.entries.values(), stats.total)
    }
    errors = [{"page": e.name, "error": str(e.error), "times": e.occurrences} for e in stats.errors.values()]
    total = stats.total
    seconds = (total.last_request_timestamp or total.start_time) - total.start_time
    REPORT.write_text(
        json.dumps(
            {
                "seconds": round(seconds, 1),
                "requests": total.num_requests,
                "errors": total.num_failures,
                "requests_a_second": round(total.num_requests / max(seconds, 1), 1),
                "pages": pages,
                "error_texts": errors,
            }
        )
    )
