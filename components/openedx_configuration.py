"""What every container of the openedx image needs to make its configuration."""

from typing import Any

from components.foundation import Foundation
from config.portal.openedx import SECRETS, settings_files


def configuration_args(base: Foundation) -> dict[str, Any]:
    """What a container of the openedx image needs to make its configuration, as arguments of its workload."""
    # lms and cms, their workers and their migrations share directories, and so the user.
    user = base.tenant.services["lms"].owner(base.tenant.source("lms"))
    return {
        "files": settings_files(base.tenant),
        "secrets": base.secrets.files(*SECRETS),
        "volumes": (
            base.storage.mount("media", "/openedx/media"),
            base.storage.mount("overrides", "/openedx/overrides"),
            base.storage.mount("rendered", "/openedx/rendered"),
        ),
        # Passwords are filled in here: never on the drive, where backups go.
        "tmpfs": {"/openedx/config": f"mode=0750,size=8m,uid={user},gid={user}"},
    }
