"""Views for the calls of edx-platform's comments client that openedx-forum's own views do not accept."""

import inspect
from typing import Any

from forum.api.threads import create_thread, get_user_threads, update_thread
from forum.utils import get_commentable_ids_from_params
from forum.views.base import ForumAPIView
from forum.views.threads import ThreadsAPIView
from rest_framework.request import Request
from rest_framework.response import Response

# The parameters of each. The client also sends parameters that cs_comments_service ignored (group_name, tags).
CREATE, UPDATE = (frozenset(inspect.signature(each).parameters) for each in (create_thread, update_thread))


class Threads(ForumAPIView):
    """`/threads`: a course's threads, of some topics or of all."""

    def get(self, request: Request, **more: Any) -> Response:
        """One page of threads."""
        params = {**request.query_params.dict(), **more}
        topics = get_commentable_ids_from_params(params)
        params = {name: value for name, value in params.items() if not name.startswith("commentable_id")}
        return Response(get_user_threads(**params, **({"commentable_ids": topics} if topics else {})))


class CommentableThreads(Threads):
    """`/:commentable_id/threads`: the threads of one topic; a POST adds one."""

    def post(self, request: Request, commentable_id: str) -> Response:
        """Add a thread."""
        data = {name: value for name, value in request.data.items() if name in CREATE}
        return Response(create_thread(**{**data, "commentable_id": commentable_id}))


class Thread(ThreadsAPIView):
    """`/threads/:id`, whose update ignores what openedx-forum has no parameter for."""

    def put(self, request: Request, thread_id: str) -> Response:
        """Update a thread, and return it."""
        data = {name: value for name, value in request.data.items() if name in UPDATE - {"thread_id"}}
        return Response(update_thread(thread_id, **data))
