"""Serves the reports of a course only to people who may make them.

edx-platform itself gives them to everybody who knows the address.
"""

import hashlib
import os
import re
from typing import Any, Callable, Set

from django.conf import settings
from django.http import FileResponse, HttpResponseNotFound

# The first folder is the hash of the course's key. Names such as .. are excluded.
_NAME = r"/(?!\.\.?(?:/|\Z))[^/\0]+"
_PATH = re.compile(r"([0-9a-f]{40})%s(?:%s)?" % (_NAME, _NAME))
# The role that sees the reports in a course's data download.
ROLE = "data_researcher"


class Reports:
    """A middleware that comes after those of the session. A middleware changes no URL of the release."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """The report, 404, or what the release answers to other paths."""
        kwargs = settings.GRADES_DOWNLOAD["STORAGE_KWARGS"]
        if not request.path_info.startswith(kwargs["base_url"]):
            return self.get_response(request)
        below = request.path_info[len(kwargs["base_url"]) :]
        if request.method not in ("GET", "HEAD") or not may_read(request.user, below):
            return HttpResponseNotFound("There is no such report, or you may not read it.")
        path = inside(kwargs["location"], below)
        if not path:
            return HttpResponseNotFound("There is no such report, or you may not read it.")
        answer = FileResponse(open(path, "rb"), content_type="text/csv")
        answer["Content-Disposition"] = 'attachment; filename="%s"' % re.sub(
            r"[^A-Za-z0-9._-]", "_", os.path.basename(path)
        )
        answer["Cache-Control"] = "private, no-store"
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


def may_read(user: Any, below: str) -> bool:
    """Whether a user may read a report: staff of the portal, and data researchers of the same course."""
    match = _PATH.fullmatch(below)
    if not match or not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    return bool(user.is_staff) or match.group(1) in _courses(user)


def _courses(user: Any) -> Set[str]:
    """The hashes of the courses where the user has the role."""
    from django.apps import apps

    roles = apps.get_model("student", "CourseAccessRole").objects.filter(user=user, role=ROLE)
    return {hashlib.sha1(str(each.course_id).encode()).hexdigest() for each in roles}


def inside(root: str, below: str) -> str:
    """The path of a file if it is really below `root`, with links resolved; else an empty text."""
    path = os.path.realpath(os.path.join(root, below))
    return path if path.startswith(os.path.realpath(root) + os.sep) and os.path.isfile(path) else ""
