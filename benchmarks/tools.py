"""The measured tools: the command line of each for up, a second up, preview and removal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.site import TENANT, Site

STEPS = ("up", "preview", "again", "down")


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool and its command line for each step. A tool without a preview leaves it out."""

    name: str
    words: Mapping[str, Sequence[str | Path]] = field(default_factory=dict)


def pulumi() -> Tool:
    """The plain CLI, as `eval "$(./portal env)"` sets it up."""
    end = ("--stack", TENANT, "--non-interactive")
    return Tool(
        name="pulumi",
        words={
            "up": ("pulumi", "up", "--yes", "--skip-preview", *end),
            "preview": ("pulumi", "preview", *end),
            "again": ("pulumi", "up", "--yes", "--skip-preview", *end),
            "down": ("pulumi", "destroy", "--yes", "--skip-preview", *end),
        },
    )


def portal() -> Tool:
    """`./portal`, with all that it does before and after Pulumi."""
    return Tool(
        name="./portal",
        words={
            "up": ("./portal", "up", TENANT),
            "preview": ("./portal", "preview", TENANT),
            "again": ("./portal", "up", TENANT),
            "down": ("./portal", "destroy", TENANT, "--confirm", TENANT),
        },
    )


def compose(binary: Path, site: Site) -> Tool:
    """Docker Compose with the file made from the portal's own resources."""
    begin = (binary, "--project-name", TENANT, "--file", site.compose_file)
    return Tool(
        name="compose",
        words={
            "up": (*begin, "up", "--detach", "--wait"),
            "again": (*begin, "up", "--detach", "--wait"),
            "down": (*begin, "down", "--volumes"),
        },
    )
