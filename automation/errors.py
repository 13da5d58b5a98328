"""What can go wrong in a command, with the exit code that scripts can use."""


class PortalError(Exception):
    """A failure with a reason and a way out for the person at the keyboard."""

    exit_code = 1


class UpFailed(PortalError):
    """Pulumi ran and said no; its own output, already shown, says why."""


class NotConfirmed(PortalError):
    """A deletion was not confirmed by the tenant's name."""

    exit_code = 3


class Locked(PortalError):
    """Somebody else is changing this portal right now."""

    exit_code = 4


class NoEngine(PortalError):
    """No Docker engine answers."""

    exit_code = 5


class NotHealthy(PortalError):
    """The portal is there, but not every service of it became healthy in time."""

    exit_code = 6
