"""A variant's two settings files, merged. Plain Python, because it runs before Django is loaded."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILES = {"lms": "/openedx/config/lms.env.json", "cms": "/openedx/config/cms.env.json"}
SECRETS = Path("/run/secrets")

# Key → type and an example. A dot separates keys of nested mappings.
KEYS: Mapping[str, tuple[type, str]] = {
    "PLATFORM_NAME": (str, '"Acme Academy"'),
    "SITE_NAME": (str, '"learn.acme.com"'),
    "LMS_BASE": (str, '"learn.acme.com"'),
    "CMS_BASE": (str, '"studio.acme.com"'),
    "LMS_ROOT_URL": (str, '"https://learn.acme.com"'),
    "CMS_ROOT_URL": (str, '"https://studio.acme.com"'),
    "ALLOWED_HOSTS": (list, '["learn.acme.com", "lms"]'),
    "DATABASES.default.NAME": (str, '"edxapp"'),
    "DATABASES.default.USER": (str, '"edxapp"'),
    "DATABASES.default.HOST": (str, '"mysql"'),
    "DATABASES.default.PORT": (int, "3306"),
    "DOC_STORE_CONFIG.host": (str, '"mongo"'),
    "DOC_STORE_CONFIG.port": (int, "27017"),
    "DOC_STORE_CONFIG.db": (str, '"openedx"'),
    "DOC_STORE_CONFIG.user": (str, '"openedx"'),
    "CACHES.default.LOCATION": (list, '["memcached:11211"]'),
    "CELERY_BROKER_HOSTNAME": (str, '"rabbitmq:5672"'),
    "CELERY_BROKER_USER": (str, '"edxapp"'),
    "CELERY_BROKER_VHOST": (str, '"openedx"'),
    "CELERY_RESULT_REDIS.host": (str, '"redis"'),
    "CELERY_RESULT_REDIS.port": (int, "6379"),
    "CELERY_RESULT_REDIS.db": (int, "0"),
    "ELASTIC_SEARCH_CONFIG": (list, '[{"host": "elasticsearch", "port": 9200}]'),
    "STATIC_ROOT": (str, '"/openedx/static"'),
}
# Passwords and keys, in `<variant>.auth.json`: no message contains their values.
SECRET_KEYS = (
    "SECRET_KEY",
    "DATABASES.default.PASSWORD",
    "DOC_STORE_CONFIG.password",
    "CELERY_BROKER_PASSWORD",
    "CELERY_RESULT_REDIS.password",
)
ADMIN_KEYS: Mapping[str, tuple[type, str]] = {
    "ADMIN.username": (str, '"admin"'),
    "ADMIN.email": (str, '"admin@acme.com"'),
}


class ConfigError(Exception):
    """A settings file or a secret is missing or wrong; str() is one line that says what and where."""


def path(variant: str, env: Mapping[str, str]) -> Path:
    """The variant's settings file: LMS_CFG or CMS_CFG, else the default. The file with its passwords is beside it."""
    return Path(env.get(f"{variant.upper()}_CFG") or FILES[variant])


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, merged mapping by mapping; of any other value that both have, the one of `over`."""
    both = {key: merged(under[key], over[key]) for key in under if _mappings(under[key], over.get(key))}
    return {**under, **over, **both}


def _mappings(*values: Any) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _value_at(settings: Mapping[str, Any], dotted: str) -> Any:
    value: Any = settings
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _finding(settings: Mapping[str, Any], key: str, kind: type, example: str) -> str | None:
    value = _value_at(settings, key)
    if value is None:
        return f"{key} is missing, for example {example}"
    if not isinstance(value, kind) or isinstance(value, bool) or value in ("", []):
        return f"{key} is {value!r}, for example {example}"
    return None


def _secret_finding(settings: Mapping[str, Any], key: str, variant: str) -> str | None:
    """What is wrong with a secret, without its value."""
    value = _value_at(settings, key)
    if value and isinstance(value, str):
        return None
    return f"{key} is missing, empty or no text, expected in {variant}.auth.json"


def _host_finding(settings: Mapping[str, Any], variant: str) -> str | None:
    """The probe and browsers use this host name; if it is not allowed, the service never becomes ready."""
    key = f"{variant.upper()}_BASE"
    host = settings[key].partition(":")[0]
    allowed = settings["ALLOWED_HOSTS"]
    if (
        host in allowed
        or "*" in allowed
        or any(a.startswith(".") and host.endswith(a) for a in map(str, allowed))
    ):
        return None
    return f"ALLOWED_HOSTS is {allowed!r}, without {key}'s host {host!r}"


def load(variant: str, env: Mapping[str, str], *, admin: bool = False) -> dict[str, Any]:
    """The variant's settings with its passwords, checked; with `admin` those of the first admin too.

    Raises ConfigError.
    """
    file = path(variant, env)
    settings = merged(_read(file), _read(file.with_name(f"{variant}.auth.json")))
    expected_keys = {**KEYS, **(ADMIN_KEYS if admin else {})}
    findings = [_finding(settings, key, *expected) for key, expected in expected_keys.items()]
    findings += [_secret_finding(settings, key, variant) for key in SECRET_KEYS]
    if not any(findings):
        findings = [_host_finding(settings, variant)]
    if text := "; ".join(each for each in findings if each):
        raise ConfigError(f"{file}: {text}")
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file}: not valid JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"{file}: expected a mapping, not {type(settings).__name__}")
    return settings


def secret(name: str, folder: Path = SECRETS) -> str:
    """A secret's text. Raises ConfigError if the file is missing, unreadable or empty."""
    file = folder / name
    try:
        text = file.read_text(encoding="utf-8").strip("\n")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{file}: not UTF-8") from None
    if not text:
        raise ConfigError(f"{file}: empty")
    return text


def check_secrets(names: Sequence[str], folder: Path = SECRETS) -> None:
    """Check secrets. Raises ConfigError for the first one that is missing or empty."""
    for name in names:
        secret(name, folder)
