"""A portal's own look from its settings: name, logo, icon, colours, links. Plain Python, tested without Django.

A wrong value is left out with a finding, and is no error.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PRIMARY = "#0a4f9e"
# The background of pages with the least contrast, in light and dark mode: --soft of site.css.
PAPERS = ("#f2f4f7", "#20252d")
# https://www.w3.org/TR/WCAG22/#contrast-minimum
READABLE = 4.5
MOST_LINKS = 40
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
Rgb = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link in the header or the footer."""

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The theme of all pages. `findings` has a line for each wrong value, which is left out."""

    logo: str
    icon: str
    primary: str
    header: tuple[Link, ...]
    footer: tuple[Link, ...]
    findings: tuple[str, ...]

    @property
    def css(self) -> str:
        """The style sheet with the colours, with readable text on the brand's colour and readable links."""
        day, night = (legible(self.primary, paper) for paper in PAPERS)
        return (
            f":root {{ --brand: {self.primary}; --on-brand: {ink(self.primary)}; --link: {day}; }}\n"
            f"@media (prefers-color-scheme: dark) {{ :root {{ --link: {night}; }} }}\n"
        )

    @property
    def version(self) -> str:
        """A version that changes with the style sheet, so that browsers may cache it."""
        return hashlib.sha256(self.css.encode()).hexdigest()[:12]

    @property
    def image_origins(self) -> tuple[str, ...]:
        """Other sites that pages load images from."""
        parts = (urlsplit(url) for url in (self.logo, self.icon))
        return tuple(sorted({f"{each.scheme}://{each.netloc}" for each in parts if each.netloc}))


def read(settings: Mapping[str, Any]) -> Theme:
    """The theme of a portal's settings, under the names that its configuration has for them."""
    findings: list[str] = []
    colours = settings.get("BRAND_COLORS") or {}
    primary = colours.get("primary") if isinstance(colours, Mapping) else colours
    if primary and not (isinstance(primary, str) and _HEX.fullmatch(primary)):
        findings.append(f"BRAND_COLORS.primary is {primary!r}, for example '{PRIMARY}'")
        primary = None
    return Theme(
        logo=_image(settings, "LOGO_URL", findings),
        icon=_image(settings, "FAVICON_URL", findings),
        primary=(primary or PRIMARY).lower(),
        header=_links(settings, "HEADER_NAVIGATION_LINKS", findings),
        footer=_links(settings, "FOOTER_NAVIGATION_LINKS", findings),
        findings=tuple(findings),
    )


def _image(settings: Mapping[str, Any], key: str, findings: list[str]) -> str:
    url = settings.get(key) or ""
    if not url or (isinstance(url, str) and (_path(url) or _web(url, "https"))):
        return url
    findings.append(f"{key} is {url!r}, for example '/static/acme/logo.png' or 'https://acme.com/logo.png'")
    return ""


def _links(settings: Mapping[str, Any], key: str, findings: list[str]) -> tuple[Link, ...]:
    links = settings.get(key) or []
    good = []
    for position, each in enumerate(links if isinstance(links, list) else [links]):
        title, url = (each.get("title"), each.get("url")) if isinstance(each, Mapping) else (None, None)
        if position >= MOST_LINKS:
            findings.append(f"{key} has {len(links)} links, {MOST_LINKS} at most")
            break
        if not (isinstance(title, str) and title.strip()):
            findings.append(f"{key}[{position}].title is {title!r}, for example 'Library'")
        elif not (isinstance(url, str) and (_path(url) or _web(url, "http", "https"))):
            findings.append(
                f"{key}[{position}].url is {url!r}, for example 'https://acme.com/library' or '/about'"
            )
        else:
            good.append(Link(title=title.strip(), url=url))
    return tuple(good)


def _path(url: str) -> bool:
    """Whether a URL is a path of this site. Browsers read `//x` and `/\\x` as other hosts, after removing tabs and line ends."""
    return bool(re.fullmatch(r"/(?![/\\])[!-~]*", url))


def _web(url: str, *schemes: str) -> bool:
    """Whether a URL is an address of any site, without characters that would end it in a security header."""
    if not re.fullmatch(r"[!-~]+", url) or any(each in url for each in "\"'<>\\;,"):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc


def rgb(colour: str) -> Rgb:
    """Red, green and blue of `#rrggbb`, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """How bright a colour is, 0 to 1: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = (each / 255 for each in rgb(colour))
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 (the same) to 21 (black on white): https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def ink(colour: str) -> str:
    """Black or white, whichever is read better on a colour; one of them is always readable."""
    return max("#ffffff", "#000000", key=lambda each: contrast(each, colour))


def legible(colour: str, paper: str) -> str:
    """A readable colour close to `colour`: mixed with black or white in steps of a twentieth."""
    target = rgb(ink(paper))
    for step in range(21):
        mixed = (
            round(part + (full - part) * step / 20) for part, full in zip(rgb(colour), target, strict=True)
        )
        mixed_colour = "#{:02x}{:02x}{:02x}".format(*mixed)
        if contrast(mixed_colour, paper) >= READABLE:
            return mixed_colour
    return ink(paper)
