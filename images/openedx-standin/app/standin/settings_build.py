"""Django's settings while the image is built: enough to collect the static files."""

from pathlib import Path

SECRET_KEY = "unused while building"  # noqa: S105 (signs nothing)
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATICFILES_DIRS = [Path(__file__).parent / "static"]
STATIC_ROOT = "/openedx/staticfiles"
STATIC_URL = "/static/"
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
