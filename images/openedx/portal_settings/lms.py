"""Django's settings of the lms."""

from portal_settings import settle

settle.check("lms")

from lms.envs.production import *  # noqa: E402, F403 (Django's settings are a module's names)

settle.settle(globals(), "lms")
