"""Django's settings of the cms."""

from portal_settings import settle

settle.check("cms")

from cms.envs.production import *  # noqa: E402, F403 (Django's settings are a module's names)

settle.settle(globals(), "cms")
