"""The lms's addresses, as edx-platform has them."""

from django.urls import path

from accounts.views import register
from lms import views
from standin.urls import urlpatterns as shared

handler500 = "standin.pages.server_error"
urlpatterns = [
    *shared,
    path("", views.home, name="home"),
    path("courses", views.home, name="courses"),
    path("courses/<str:key>/about", views.about, name="about"),
    path("search", views.search, name="search"),
    path("register", register, name="register"),
    path("dashboard", views.dashboard, name="dashboard"),
    path("dashboard/report", views.report, name="report"),
]
