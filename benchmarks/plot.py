"""Draws line charts as SVG, without another package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 110, 34, 42
# Told apart by people who see colours otherwise, too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000")
TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One chart: the name of each line and its points (x, y), both from 0 upwards."""

    title: str
    x: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side."""
    drawn = "\n".join(
        f'<g transform="translate({number * WIDTH},0)">\n{panel(each)}\n</g>'
        for number, each in enumerate(panels)
    )
    size = f'width="{WIDTH * len(panels)}" height="{HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{drawn}\n</svg>\n'
    )


def panel(described: Panel) -> str:
    """One panel's axes and lines."""
    points = [point for line in described.lines.values() for point in line]
    most_x = max(x for x, _ in points)
    step = round_up(max(y for _, y in points) / TICKS)
    most_y = step * TICKS

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            round(LEFT + x / most_x * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - y / most_y * (HEIGHT - TOP - BOTTOM), 1),
        )

    right, floor = at(most_x, 0)
    out = [text(LEFT, TOP - 14, described.title, weight="bold"), text(LEFT, HEIGHT - 8, described.x)]
    for number in range(TICKS + 1):
        _, y = at(0, number * step)
        out.append(f'<path d="M{LEFT} {y}H{right}" stroke="#ddd"/>')
        out.append(text(LEFT - 6, y + 4, f"{number * step:g}", anchor="end"))
    for x in sorted({x for x, _ in points}):
        out.append(text(at(x, 0)[0], floor + 16, f"{x:g}", anchor="middle"))
    ends = without_overlap([at(*line[-1])[1] for line in described.lines.values()])
    for (name, line), colour, end in zip(described.lines.items(), COLOURS, ends, strict=False):
        path = " ".join(f"{x},{y}" for x, y in (at(*point) for point in line))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.append(text(right + 6, end + 4, name, fill=colour))
    return "\n".join(out)


def text(
    x: float, y: float, words: str, *, anchor: str = "start", weight: str = "", fill: str = "#333"
) -> str:
    """An SVG text at a position."""
    bold = f' font-weight="{weight}"' if weight else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}"{bold}>{escape(words)}</text>'


def round_up(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 1.0
    while power > least:
        power /= 10
    while power * 10 < least:
        power *= 10
    return next(power * each for each in (1, 2, 5, 10) if power * each >= least)


def without_overlap(heights: Sequence[float], apart: float = 13.0) -> list[float]:
    """The heights of labels, moved down so that no two overlap."""
    placed: dict[int, float] = {}
    last = float("-inf")
    for number in sorted(range(len(heights)), key=lambda each: heights[each]):
        last = placed[number] = max(heights[number], last + apart)
    return [placed[number] for number in range(len(heights))]
