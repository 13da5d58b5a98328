"""What is wrong with a file, in words its author can act on."""


class ConfigError(Exception):
    """All that is wrong with a configuration: one line a finding, each with file, path, found and expected."""

    def __init__(self, *findings: str) -> None:
        super().__init__(*findings)
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join(self.findings)
