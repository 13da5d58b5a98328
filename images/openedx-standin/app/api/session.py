"""Log-in, registration and a forgotten password, as Open edX's own pages and apps ask for them."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import get_token
from django.views.csrf import csrf_failure

from accounts import tasks
from accounts.forms import RegistrationForm
from accounts.models import Profile, User
from api.asking import Body, Refusal, endpoint, forged
from courses.queue import send

FORM = "application/x-www-form-urlencoded"
BACKEND = "django.contrib.auth.backends.ModelBackend"
LOG_IN = "/api/user/v1/account/login_session/"
REGISTRATION = "/api/user/v1/account/registration/"
FORGOTTEN = "/account/password"
TAKEN = "It looks like this username is already taken"


def _field(name: str, kind: str, **restrictions: int) -> dict[str, Any]:
    labels = {"name": "Full Name", "username": "Public Username", "honor_code": "The portal's rules"}
    return {
        "name": name,
        "label": labels.get(name, name.title()),
        "type": kind,
        "defaultValue": "",
        "placeholder": "",
        "instructions": "",
        "exposed": True,
        "required": True,
        "restrictions": restrictions,
        "errorMessages": {},
        "supplementalLink": "",
        "supplementalText": "",
        "loginIssueSupportLink": "",
    }


EMAIL = _field("email", "email", min_length=3, max_length=254)


def _form(request: HttpRequest, url: str, *fields: dict[str, Any]) -> Body:
    get_token(request)
    return {"method": "post", "submit_url": url, "fields": list(fields)}


def _csrf(request: HttpRequest, user: User | None) -> Body:
    return {"csrfToken": get_token(request)}


def _log_in_form(request: HttpRequest, user: User | None) -> Body:
    return _form(request, LOG_IN, EMAIL, _field("password", "password", max_length=5000))


def _registration_form(request: HttpRequest, user: User | None) -> Body:
    return _form(
        request,
        REGISTRATION,
        _field("name", "text", max_length=255),
        _field("username", "text", min_length=2, max_length=30),
        EMAIL,
        _field("password", "password", min_length=8, max_length=75),
        _field("honor_code", "plaintext"),
    )


def _forgotten_form(request: HttpRequest, user: User | None) -> Body:
    return _form(request, FORGOTTEN, EMAIL)


def _log_in(request: HttpRequest, user: User | None, values: dict[str, Any]) -> HttpResponseBase | Body:
    # A log-in that somebody else's page sends would make its sender the one who is logged in.
    if reason := forged(request):
        return csrf_failure(request, reason)
    name = values.get("email_or_username") or values.get("email") or ""
    refused: dict[str, Any] = {"success": False, "email": name}
    if "password" not in values or not name:
        contact = "There was an error receiving your login information. Please email us."
        raise Refusal(400, {**refused, "value": contact})
    known = Q(email=name) if "@" in name else Q(username=name)
    account = authenticate(request, username=name, password=values["password"])
    if account is None:
        idle = User.objects.filter(known, is_active=False, last_login=None).first()
        if idle is not None and idle.check_password(values["password"]):
            # As on the page: whoever has the right password and not opened the mail gets it once more.
            send(tasks.activation, idle.pk)
            context = {"platformName": settings.PLATFORM_NAME, "supportLink": ""}
            raise Refusal(
                400, {**refused, "value": "None", "error_code": "inactive-user", "context": context}
            )
        wrong = {"value": "Email or password is incorrect.", "error_code": "incorrect-email-or-password"}
        raise Refusal(400, {**refused, **wrong})
    login(request, account, backend=BACKEND)
    return {"success": True, "redirect_url": None}


def _suggestions(name: str) -> list[str]:
    """Three names that are near to one and free when they are told."""
    stem = (
        "".join(each for each in name if each.isascii() and (each.isalnum() or each in "_-"))[:24]
        or "learner"
    )
    made = {f"{stem}_{secrets.randbelow(10 ** (1 + number // 3))}" for number in range(12)}
    used_names = set(User.objects.filter(username__in=made).values_list("username", flat=True))
    return sorted(made - used_names)[:3]


def _findings(values: dict[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the fields of a registration, by the rules of the page's form."""
    form = _registration(values)
    form.is_valid()
    findings = {
        "password" if field.startswith("password") else field: [str(each) for each in errors]
        for field, errors in form.errors.items()
        if field != "__all__"
    }
    if "username" in findings and not 2 <= len(str(values.get("username") or "")) <= 30:
        findings["username"] = ["Username must be between 2 and 30 characters long."]
    if not values.get("name"):
        findings["name"] = ["Your legal name must be a minimum of one character long"]
    return findings


def _registration(values: dict[str, Any]) -> RegistrationForm:
    password = values.get("password", "")
    identity = {"email": values.get("email", ""), "username": values.get("username", "")}
    return RegistrationForm({**identity, "password1": password, "password2": password})


def _taken(values: dict[str, Any]) -> dict[str, list[str]]:
    findings = {}
    if User.objects.filter(email=values.get("email") or "").exists():
        platform = settings.PLATFORM_NAME
        findings["email"] = [
            f"This email is already associated with an existing or previous {platform} account"
        ]
    name = str(values.get("username") or "")
    reserved = name.lower() == str(settings.ADMIN.get("username", "")).lower() and bool(name)
    if reserved or User.objects.filter(username=name).exists():
        findings["username"] = [TAKEN]
    return findings


def _refused(status: int, findings: dict[str, list[str]], code: str, **more: Any) -> Refusal:
    values = {field: [{"user_message": each} for each in texts] for field, texts in findings.items()}
    return Refusal(status, {**values, **more, "error_code": code})


def _register(request: HttpRequest, user: User | None, values: dict[str, Any]) -> Body:
    if used_values := _taken(values):
        code = "duplicate-" + "-".join(sorted(used_values))
        more = {"username_suggestions": _suggestions(str(values.get("username", "")))}
        raise _refused(409, used_values, code, **more)
    findings = _findings(values)
    if values.get("terms_of_service") != "true":
        findings["terms_of_service"] = ["You must accept the terms of service."]
    if values.get("honor_code") != "true":
        findings["honor_code"] = ["To enroll, you must follow the honor code."]
    if findings:
        raise _refused(400, findings, "validation-error")
    form = _registration(values)
    form.is_valid()
    try:
        with transaction.atomic():
            made = form.save()
            answers = {field: values.get(field, "")[:1000] for field in ("goals", "mailing_address")}
            answers |= {"country": values["country"][:2]} if values.get("country") else {}
            Profile.objects.create(user=made, name=values["name"][:255], answers=answers)
    except IntegrityError:
        raise _refused(409, {"username": [TAKEN]}, "duplicate-username") from None
    if made.is_active:
        login(request, made, backend=BACKEND)
    else:
        send(tasks.activation, made.pk)
    return {"success": True, "redirect_url": f"{settings.LMS_ROOT_URL}/dashboard"}


def _validate(request: HttpRequest, user: User | None, values: dict[str, Any]) -> Body:
    """Of each field that is told: what is wrong with it; nothing where it is well."""
    findings = {**_findings(values), **_taken(values)}
    fields = [field for field in ("name", "username", "email", "password") if field in values]
    answer: dict[str, Any] = {
        "validation_decisions": {field: " ".join(findings.get(field, [])) for field in fields}
    }
    if "username" in values or "name" in values:
        answer["username_suggestions"] = _suggestions(str(values.get("username") or values.get("name")))
    return answer


csrf = endpoint({"GET": _csrf}, everybody=True)
register = endpoint({"GET": _registration_form, "POST": _register}, everybody=True, takes=FORM)
validate = endpoint({"POST": _validate}, everybody=True)
forgotten_form = endpoint({"GET": _forgotten_form}, everybody=True)
log_in = endpoint({"GET": _log_in_form, "POST": _log_in}, everybody=True, takes=FORM)
