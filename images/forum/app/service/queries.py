"""Query strings, as edx-platform's comments client sends them, as openedx-forum takes them."""

# What has an effect whatever it says: `flagged=False` would give the flagged ones alone.
FLAGS = ("count_flagged", "flagged", "unanswered", "unread", "unresponded")


def sorted_out(get_response):
    """Middleware: leaves out what says nothing (`request_id`, false flags, the user that the path names already)."""

    def middleware(request):
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
