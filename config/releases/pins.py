"""config/pins.yml: the digest of each public image that release files name by tag."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from config.reading import yamlfile
from config.reading.errors import Findings
from config.reading.nodes import Scalar
from config.releases.public_images import digest, tagged

NAME = "pins.yml"
HEAD = """\
# The digest of each public image that the releases name by tag: what a tag pointed at when this was written.
# Written by `./portal images pin`; what changes here changes every portal whose tenant says `images: hub`.
"""


def load(path: Path) -> dict[str, str]:
    """The digests by image; none when the file is not there. Raises ConfigError."""
    findings = Findings(f"{path.parent.name}/{path.name}")
    if not path.exists() and not path.is_symlink():
        return {}
    root = yamlfile.load(path, findings, path.parent.parent)
    digests: dict[str, str] = {}
    for image, node in (root.items if root else {}).items():
        try:
            if not isinstance(node, Scalar) or node.kind != "text":
                raise ValueError(f"found {node}, expected a digest")
            digests[tagged(image)] = digest(node.text)
        except ValueError as error:
            findings.add(node.line, "", f"line {node.line}: {error}")
    findings.raise_any()
    return digests


def text(pins: Mapping[str, str]) -> str:
    """The file of these digests."""
    return HEAD + "".join(f'"{image}": {pins[image]}\n' for image in sorted(pins))
