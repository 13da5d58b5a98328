"""Addresses that both variants have."""

from django.urls import path

from accounts import views
from standin.heartbeat import heartbeat

urlpatterns = [
    path("heartbeat", heartbeat, name="heartbeat"),
    path("login", views.LogIn.as_view(), name="login"),
    path("logout", views.log_out, name="logout"),
    path("account/password", views.ChangePassword.as_view(), name="password"),
]
