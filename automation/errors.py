"""What can go wrong in a command, with the exit code that scripts can use."""


class PortalError(Exception):
    """A failure with a reason and a remedy for the person at the keyboard."""

    exit_code = 1


class WrongWords(PortalError):
    """What was typed names something that is not there."""

    exit_code = 2


class UpFailed(PortalError):
    """Pulumi ran and said no, for the engine's reasons that the error carries."""


class Cancelled(PortalError):
    """A run was told to end before it was done; what it had begun it has finished."""

    exit_code = 130


class NotConfirmed(PortalError):
    """A deletion was not confirmed by the tenant's name."""

    exit_code = 3


class Locked(PortalError):
    """Somebody else is changing this portal right now."""

    exit_code = 4


class Overtaken(Locked):
    """Somebody else took the stack between a look at it and the change."""


class FileChanged(PortalError):
    """A tenant file became another one while its portal was being changed."""


class NoEngine(PortalError):
    """No Docker engine answers."""

    exit_code = 5


class NotHealthy(PortalError):
    """The portal is there, but not every service of it became healthy in time."""

    exit_code = 6


class NotUp(PortalError):
    """A portal of which there is no container."""

    exit_code = 6
