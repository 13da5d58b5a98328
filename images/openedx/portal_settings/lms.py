"""Django's settings of the lms."""

from portal_settings import changes

changes.check("lms")

from lms.envs.production import *  # noqa: E402, F403 (Django's settings are a module's names)

changes.apply(globals(), "lms")
