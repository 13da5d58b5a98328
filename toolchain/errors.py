"""What this package raises."""


class ToolchainError(Exception):
    """A part could not be had. The text says what was waited for or tried, what was seen, and the remedy."""

    exit_code = 1


class NoEngine(ToolchainError):
    """No engine answers and none may be started here; the exit code is that of the portal command."""

    exit_code = 5
