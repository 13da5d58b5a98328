"""Reports of a course, for those alone who may make them: edx-platform has them served to whoever knows the address."""

import hashlib
import os
import re

from django.conf import settings
from django.http import FileResponse, HttpResponseNotFound

# The first folder is edx-platform's own: the hash of the course's key. No name leads elsewhere.
_NAME = r"/(?!\.\.?(?:/|\Z))[^/\0]+"
_PATH = re.compile(r"([0-9a-f]{40})%s(?:%s)?" % (_NAME, _NAME))
# Who sees the list of reports in a course's data download.
ROLE = "data_researcher"


class Reports:
    """A middleware, after those that know the session: so the release's own addresses stay its own."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        kwargs = settings.GRADES_DOWNLOAD["STORAGE_KWARGS"]
        if not request.path_info.startswith(kwargs["base_url"]):
            return self.get_response(request)
        below = request.path_info[len(kwargs["base_url"]) :]
        if request.method not in ("GET", "HEAD") or not may_read(request.user, below):
            return HttpResponseNotFound("There is no such report, or it is not yours to read.")
        path = inside(kwargs["location"], below)
        if not path:
            return HttpResponseNotFound("There is no such report, or it is not yours to read.")
        answer = FileResponse(open(path, "rb"), content_type="text/csv")
        answer["Content-Disposition"] = 'attachment; filename="%s"' % re.sub(
            r"[^A-Za-z0-9._-]", "_", os.path.basename(path)
        )
        answer["Cache-Control"] = "private, no-store"
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


def may_read(user, below):
    """Staff of the portal, and those who research the very course."""
    found = _PATH.fullmatch(below)
    if not found or not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    return bool(user.is_staff) or found.group(1) in _courses(user)


def _courses(user):
    from django.apps import apps

    roles = apps.get_model("student", "CourseAccessRole").objects.filter(user=user, role=ROLE)
    return {hashlib.sha1(str(each.course_id).encode()).hexdigest() for each in roles}


def inside(root, below):
    """The file, if it is one and lies there, whatever links and dots say."""
    path = os.path.realpath(os.path.join(root, below))
    return path if path.startswith(os.path.realpath(root) + os.sep) and os.path.isfile(path) else ""
