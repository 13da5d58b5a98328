"""The cms's addresses, as edx-platform has them."""

from django.urls import path

from accounts.views import LogIn
from cms import views
from standin.urls import urlpatterns as shared

handler500 = "standin.pages.server_error"
urlpatterns = [
    *shared,
    path("", views.welcome, name="welcome"),
    path("signin", LogIn.as_view(), name="signin"),
    path("home", views.home, name="home"),
    path("course/<str:key>/publish", views.publish_again, name="publish"),
]
