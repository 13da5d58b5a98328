"""The cms's addresses, as edx-platform has them."""

from django.urls import path

from cms import sso, views
from standin.urls import urlpatterns as shared

handler500 = "standin.pages.server_error"
urlpatterns = [
    *shared,
    path("", views.welcome, name="welcome"),
    path("login", sso.login, name="login"),
    path("signin", sso.login, name="signin"),
    path("complete/edx-oauth2/", sso.complete, name="complete"),
    path("home", views.home, name="home"),
    path("course/<str:key>/publish", views.publish_again, name="publish"),
    path("course/<str:key>/image", views.image, name="image"),
]
