"""The lms's addresses, as edx-platform has them."""

from django.urls import path, re_path
from oauth2_provider.views.base import AuthorizationView, RevokeTokenView

from accounts import views as accounts
from api.urls import urlpatterns as api
from lms import discussion, learning, oauth, views
from standin.urls import urlpatterns as shared

handler500 = "standin.pages.server_error"
urlpatterns = [
    *shared,
    *api,
    path("", views.home, name="home"),
    path("courses", views.home, name="courses"),
    path("courses/<str:key>/about", views.about, name="about"),
    path("courses/<str:key>/enroll", learning.enroll, name="enroll"),
    path("courses/<str:key>/course/", learning.course, name="course"),
    path("courses/<str:key>/complete", learning.complete, name="complete"),
    path("courses/<str:key>/discussion/forum/", discussion.threads, name="discussion"),
    path("courses/<str:key>/discussion/forum/threads/<str:thread>", discussion.thread, name="thread"),
    path("search", views.search, name="search"),
    path("login", accounts.LogIn.as_view(), name="login"),
    path("register", accounts.register, name="register"),
    path("registered", accounts.registered, name="registered"),
    path("activate/<str:uid>/<str:token>", accounts.activate, name="activation"),
    path("password_reset/", accounts.reset, name="reset"),
    path(
        "password_reset_confirm/<str:uidb64>/<str:token>/",
        accounts.ResetConfirm.as_view(),
        name="password_reset",
    ),
    path("account/password", accounts.ChangePassword.as_view(), name="password"),
    path("dashboard", views.dashboard, name="dashboard"),
    path("dashboard/report", views.report, name="report"),
    re_path(r"^oauth2/authorize/?$", AuthorizationView.as_view(), name="authorize"),
    re_path(r"^oauth2/access_token/?$", oauth.Token.as_view(), name="access_token"),
    re_path(r"^oauth2/revoke_token/?$", RevokeTokenView.as_view(), name="revoke_token"),
]
