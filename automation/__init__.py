"""Private Open edX portals for scripts: the library behind the `portal` command.

`onboard`, `preview`, `up`, `destroy` and `status` work on one tenant and raise PortalError or ConfigError with the reason and the
remedy; `for_each_tenant` runs one of them on many. docs/onboarding.md has examples.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automation.api import OnboardingRequest, destroy, for_each_tenant, onboard, preview, status, up

__all__ = ["OnboardingRequest", "destroy", "for_each_tenant", "onboard", "preview", "status", "up"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the command imports this package, too, and most of its verbs need little of it.
    if name in __all__:
        return getattr(import_module("automation.api"), name)
    raise AttributeError(name)
