"""Django's settings of the cms."""

from portal_settings import changes

changes.check("cms")

from cms.envs.production import *  # noqa: E402, F403 (Django's settings are a module's names)

changes.apply(globals(), "cms")
