"""The one error of this package."""


class ToolchainError(Exception):
    """A part could not be had. The text says what was waited for or tried, what was seen, and the way out."""
