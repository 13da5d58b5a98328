"""What the check of a key lets pass, as far as a JSON schema can say it.

A shape never refuses what its check takes: an editor that cries wolf is switched off. What it cannot say (that a
port is free, that a release has an image) the program still checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from config.releases import public_images
from config.values import checks, drive_paths, host_names, placement
from config.values.checks import Between, OneOf, OrNothing

Shape = dict[str, Any]

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# Beyond 223 come multicast and what is reserved.
_FIRST = "(22[0-3]|2[01][0-9]|1[0-9][0-9]|[1-9][0-9]?)"
_LABEL = f"({host_names.LABEL.pattern})"
# No last part that browsers take for an address's; `--` in the third place is punycode's.
_HOST = rf"(?!(.*\.)?(?!xn--)..--)(?!.*\.([0-9]+|0x[0-9a-f]*)$){_LABEL}(\.{_LABEL})+"
_SMARTHOST = rf"(?!.*\.([0-9]+|0x[0-9a-f]*):)(?!(.*\.)?(?!xn--)..--){_LABEL}(\.{_LABEL})+:[1-9][0-9]{{0,4}}"
_SYSTEM = "|".join(re.escape(each) for each in drive_paths.SYSTEM)
_SHARED = "|".join(re.escape(each) for each in drive_paths.SHARED)
_ROOT = rf"(?!({_SYSTEM})(/|$))(?!({_SHARED})$)(/(?!\.{{1,2}}(/|$))[A-Za-z0-9._-]+)+"
# From 2048 MiB, or 2 GiB, on (checks.SMALLEST_QUOTA).
_QUOTA = r"(204[89]|20[5-9][0-9]|2[1-9][0-9]{2}|[3-9][0-9]{3}|[1-9][0-9]{4,8})MiB|([2-9]|[1-9][0-9]{1,8})GiB"
_PATTERNS: Mapping[Callable[..., Any], str] = {
    checks.title: rf"[^\s{checks.MARKUP}]([^{checks.MARKUP}]*[^\s{checks.MARKUP}])?",
    checks.email: rf"({checks.MAILBOX.pattern})@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
    checks.username: checks.USERNAME.pattern,
    checks.memory: checks.MEMORY.pattern,
    checks.quota: _QUOTA,
    checks.smarthost: _SMARTHOST,
    checks.account: r"(\S(.*\S)?)?",
    checks.queue: checks.QUEUE.pattern,
    checks.word: r"[a-z0-9]+(-[a-z0-9]+)*",
    host_names.host: _HOST,
    public_images.pinned: rf"(?=[^/]*[.:]|localhost/)({public_images.PINNED.pattern})",
    drive_paths.root: _ROOT,
    placement.listen_address: rf"(0\.0\.0\.0|{_FIRST}(\.{_OCTET}){{3}})",
    placement.subnet: rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.0/24",
    placement.docker_host: f"({'|'.join(form.pattern for form in placement.FORMS)})?",
}
_LENGTHS: Mapping[Callable[..., Any], tuple[int, int]] = {
    checks.title: (1, 80),
    checks.email: (3, 254),
    checks.username: (2, 30),
    checks.account: (0, 200),
    checks.queue: (1, 40),
    host_names.host: (3, host_names.LONGEST),
    drive_paths.root: (2, drive_paths.LONGEST),
}


def shape(check: Callable[..., Any]) -> Shape:
    """The keywords that say what a check says. Raises KeyError for a check that has no shape yet."""
    match check:
        case Between(least, most):
            return {"minimum": least, "maximum": most}
        case OneOf(known):
            return {"enum": [*known]}
        case OrNothing(inner):
            length = {"maxLength": _LENGTHS[inner][1]} if inner in _LENGTHS else {}
            return {"pattern": f"^({_plain(_PATTERNS[inner])})?$", **length}
    if check is placement.listen_port:
        return {"anyOf": [{"enum": [80, 443]}, {"minimum": 1024, "maximum": 65535}]}
    least, most = _LENGTHS.get(check, (0, 0))
    length = {"minLength": least, "maxLength": most} if most else {}
    return {"pattern": f"^{_plain(_PATTERNS[check])}$", **length}


def _plain(pattern: str) -> str:
    # Python's names of groups are not those of other languages, and nobody asks for them. Validators that turn `$`
    # into their own end of text do so in brackets too.
    return re.sub(r"\(\?P<\w+>", "(", pattern).replace("#$%", r"#\x24%")
