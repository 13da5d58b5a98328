"""Adapts the query strings of edx-platform's comments client to what openedx-forum accepts."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]

# openedx-forum ignores the value of these: `flagged=False` would return only the flagged ones.
FLAGS = ("count_flagged", "flagged", "unanswered", "unread", "unresponded")


def without_idle_parameters(get_response: GetResponse) -> GetResponse:
    """Middleware that removes parameters without effect: `request_id`, false flags, a user that is in the path."""

    def middleware(request: HttpRequest) -> HttpResponse:
        query = request.GET.copy()
        query.pop("request_id", None)
        if request.path.startswith("/api/v1/users/"):
            query.pop("user_id", None)
        for name in FLAGS:
            if query.get(name, "").lower() in ("", "false", "0"):
                query.pop(name, None)
        request.GET = query
        return get_response(request)

    return middleware
