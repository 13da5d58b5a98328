"""The API under /api/v1, as cs_comments_service has it, and the heartbeat."""

from django.urls import include, path, re_path

from service.heartbeat import heartbeat
from service.views import CommentableThreads, Thread, Threads

urlpatterns = [
    path("heartbeat", heartbeat),
    re_path(r"^api/v1/(?!search/|users/)(?P<commentable_id>[^/]+)/threads$", CommentableThreads.as_view()),
    path("api/v1/threads", Threads.as_view()),
    path("api/v1/threads/<str:thread_id>", Thread.as_view()),
    path("", include("forum.urls")),
]
