"""Accounts: one's own, and everybody's for staff."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static

from accounts.models import Profile, User
from api import lists
from api.asking import FORBIDDEN, Body, Refusal, empty, endpoint, fields_refused, may_see

# What a learner tells of themselves: Open edX's key, its longest value.
ANSWERS = {
    "bio": 3000, "country": 2, "gender": 6, "goals": 1000, "level_of_education": 6, "mailing_address": 1000, "state": 2,
}  # fmt: skip
# Of the account, and never changed here.
FIXED = (
    "username",
    "email",
    "id",
    "is_active",
    "date_joined",
    "last_login",
    "activation_key",
    "profile_image",
)
MOST_EMAILS = 200


def when(values: datetime | None) -> str | None:
    """A moment as Open edX says it."""
    return None if values is None else values.isoformat().replace("+00:00", "Z")


def profile_of(user: User) -> Profile:
    """What is kept of a user beside the account; an empty one where nothing is yet."""
    return Profile.objects.filter(user=user).first() or Profile(user=user)


def shared(user: User) -> dict[str, Any]:
    """What every learner may know of another."""
    icon = f"{settings.LMS_ROOT_URL}{static('standin/icon.svg')}"
    sizes = ("full", "large", "medium", "small")
    return {
        "account_privacy": "private",
        "profile_image": {"has_image": False, **{f"image_url_{size}": icon for size in sizes}},
        "username": user.username,
    }


def account(user: User) -> dict[str, Any]:
    """All of an account, for its owner and for staff."""
    profile = profile_of(user)
    values = {key: profile.answers.get(key) for key in ANSWERS}
    nothing = (
        "course_certificates", "time_zone", "verified_name", "secondary_email", "secondary_email_enabled", "phone_number",
        "activation_key", "pending_name_change",
    )  # fmt: skip
    return {
        **shared(user),
        **dict.fromkeys(nothing),
        **values,
        "year_of_birth": profile.answers.get("year_of_birth"),
        "accomplishments_shared": False,
        "date_joined": when(user.date_joined.replace(microsecond=0)),
        "email": user.email,
        "extended_profile": [],
        "id": user.pk,
        "is_active": user.is_active,
        "language_proficiencies": [],
        "last_login": when(user.last_login),
        "name": profile.name,
        "requires_parental_consent": profile.answers.get("year_of_birth") is None,
        "social_links": [],
    }


def _me(request: HttpRequest, user: User) -> Body:
    return {"username": user.username}


def _one(request: HttpRequest, user: User, name: str) -> Body:
    person = User.objects.filter(username=name).first()
    if person is None:
        raise Refusal(404)
    return account(person) if may_see(user, name) else shared(person)


def _change(request: HttpRequest, user: User, values: dict[str, Any], name: str) -> Body:
    if user.username != name:
        raise Refusal(403)
    findings = {
        key: {
            "developer_message": "This field is not editable via this API",
            "user_message": f"The '{key}' field cannot be edited.",
        }
        for key in FIXED
        if key in values
    }
    for key, value in values.items():
        if finding := _finding(key, value):
            findings[key] = {"developer_message": finding, "user_message": "This value is invalid."}
    if findings:
        raise Refusal(400, {"field_errors": findings})
    profile = profile_of(user)
    if "name" in values:
        profile.name = values["name"]
    profile.answers |= {
        key: value for key, value in values.items() if key in ANSWERS or key == "year_of_birth"
    }
    profile.save()
    return account(user)


def _finding(key: str, value: Any) -> str:
    """What is wrong with a value; nothing for one that may be kept, or whose key is not known."""
    if key == "name" and not (isinstance(value, str) and 1 <= len(value.strip()) <= 255):
        return "The name is a text of 1 to 255 characters."
    if key == "year_of_birth" and not (value is None or (type(value) is int and 1900 <= value <= 2100)):
        return "The year of birth is a number."
    if key in ANSWERS and not (value is None or (isinstance(value, str) and len(value) <= ANSWERS[key])):
        return f"This is a text of {ANSWERS[key]} characters at most."
    return ""


def _several(request: HttpRequest, user: User) -> Body:
    """By user names, or, for staff, by e-mail address or number."""
    query = request.GET
    if "email" in query or "lms_user_id" in query:
        if not user.is_staff:
            raise Refusal(403, {"detail": FORBIDDEN})
        by_number = {"pk": lists.number(query.get("lms_user_id", ""))}
        accounts = User.objects.filter(**({"email": query["email"]} if "email" in query else by_number))
        if not accounts:
            raise Refusal(404)
        return [account(each) for each in accounts]
    names = query["username"].split(",")[:MOST_EMAILS] if "username" in query else [user.username]
    users = User.objects.filter(username__in=names).order_by("username")
    if not users:
        raise Refusal(404)
    return [account(each) if may_see(user, each.username) else shared(each) for each in users]


def _by_emails(request: HttpRequest, user: User, values: dict[str, Any]) -> Body:
    if not user.is_staff:
        raise Refusal(404, {"developer_message": "not_found", "user_message": "Not Found"})
    emails = values.get("emails")
    if not isinstance(emails, list) or len(emails) > MOST_EMAILS:
        raise fields_refused(emails="A list of e-mail addresses is expected.")
    users = User.objects.filter(email__in=[each for each in emails if isinstance(each, str)]).order_by("pk")
    return [{"email": each.email, "id": each.pk, "username": each.username} for each in users]


def _deactivate(request: HttpRequest, user: User, values: dict[str, Any], name: str) -> Body:
    """From now on nobody logs in to it by a password. A right of its own in Open edX, which superusers have."""
    if not user.is_superuser:
        raise Refusal(403, {"detail": FORBIDDEN})
    person = User.objects.filter(username=name).first()
    if person is None:
        raise Refusal(404)
    person.set_unusable_password()
    person.save(update_fields=["password"])
    return account(person)


def _preferences(request: HttpRequest, user: User, name: str) -> Body:
    return dict(_profile_for(user, name).preferences)


def _prefer(request: HttpRequest, user: User, values: dict[str, Any], name: str) -> HttpResponse:
    """A null takes a preference away."""
    profile = _profile_for(user, name)
    if any(
        value is not None and (not isinstance(value, str) or len(value) > 1000) for value in values.values()
    ):
        raise Refusal(400, {"developer_message": "A preference is a text, or null to take it away."})
    kept = {**profile.preferences, **values}
    profile.preferences = {key[:255]: value for key, value in kept.items() if value is not None}
    if len(profile.preferences) > 100:
        raise Refusal(400, {"developer_message": "There are more than 100 preferences."})
    profile.save()
    return empty(204)


def _profile_for(user: User, name: str) -> Profile:
    if not may_see(user, name):
        raise Refusal(403)
    account = User.objects.filter(username=name).first()
    if account is None:
        raise Refusal(404)
    return profile_of(account)


me = endpoint({"GET": _me})
one = endpoint({"GET": _one, "PATCH": _change})
several = endpoint({"GET": _several})
by_emails = endpoint({"GET": _several, "POST": _by_emails})
deactivate = endpoint({"POST": _deactivate})
preferences = endpoint({"GET": _preferences, "PATCH": _prefer})
