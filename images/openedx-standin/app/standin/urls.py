"""URLs of both variants."""

from django.urls import path

from accounts import views
from standin import pages
from standin.heartbeat import heartbeat

urlpatterns = [
    path("heartbeat", heartbeat, name="heartbeat"),
    path("theme.css", pages.theme, name="theme"),
    path("logout", views.log_out, name="logout"),
]
