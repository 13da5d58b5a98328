"""Values of the portal that each page gets."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    """Template context."""
    return {
        "platform_name": settings.PLATFORM_NAME,
        "platform_description": settings.PLATFORM_DESCRIPTION,
        "contact_email": settings.CONTACT_EMAIL,
        "discussion": settings.DISCUSSION,
        "language": settings.LANGUAGE_CODE,
        "lms_root_url": settings.LMS_ROOT_URL,
        "cms_root_url": settings.CMS_ROOT_URL,
        "media_url": settings.MEDIA_URL,
        "theme": settings.THEME,
        "variant": settings.VARIANT,
    }
