"""What every page knows of its portal."""

from django.conf import settings


def portal(request):
    """Template context."""
    return {
        "platform_name": settings.PLATFORM_NAME,
        "contact_email": settings.CONTACT_EMAIL,
        "language": settings.LANGUAGE_CODE,
        "lms_root_url": settings.LMS_ROOT_URL,
        "cms_root_url": settings.CMS_ROOT_URL,
        "variant": settings.VARIANT,
    }
