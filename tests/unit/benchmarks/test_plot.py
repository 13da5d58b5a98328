"""The plot of a benchmark: axes that hold every point, and words that do not lie on each other."""

import xml.etree.ElementTree as ET

import pytest

from benchmarks.fleet import is_of_kind, measurement, panels
from benchmarks.plot import HEIGHT, WIDTH, Panel, round_up, svg, without_overlap
from benchmarks.processes import Process, Run


@pytest.mark.parametrize(
    ("least", "step"), [(0.3, 0.5), (1, 1), (1.1, 2), (4, 5), (7, 10), (10, 10), (13, 20), (260, 500)]
)
def test_a_step_is_a_round_number(least: float, step: float) -> None:
    assert round_up(least) == pytest.approx(step)


def test_words_keep_apart() -> None:
    assert without_overlap([50, 10, 52], apart=13) == [50, 10, 63]


def test_every_point_lies_within_its_panel() -> None:
    lines = {"up & away": [(1.0, 3.0), (10.0, 28.0)], "down": [(1.0, 1.0), (10.0, 9.5)]}
    drawing = svg([Panel(title="seconds", x="portals", lines=lines)] * 2)
    root = ET.fromstring(drawing)
    drawn = [each.attrib["points"] for each in root.iter() if each.tag.endswith("polyline")]
    assert len(drawn) == 4
    for line in drawn:
        for point in line.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def run(*processes: tuple[str, float]) -> Run:
    return Run(
        started=0.0,
        seconds=12.0,
        cpu_seconds=3.0,
        peak_mib=400.0,
        once_mib=300.0,
        at_peak={},
        processes=[Process(words=words, first=0, last=1, peak_mib=size) for words, size in processes],
    )


def test_the_largest_of_each_kind_counts() -> None:
    measured = measurement(
        "up",
        2,
        run(
            ("python automation.fleet.worker", 90.0),
            ("python automation.fleet.worker", 95.0),
            ("pulumi up", 140.0),
        ),
        0.1,
    )
    assert measured.parts == {"worker": 95.0, "cli": 140.0}
    assert not is_of_kind("python automation", ["automation.fleet.worker"])
    assert not is_of_kind("pulumi-resource-docker", ["pulumi"])


def test_a_line_for_each_command_over_the_fleet() -> None:
    measurements = [
        measurement(verb, count, run(), 0.0) for count in (1, 10) for verb in ("up", "preview, one")
    ]
    assert [list(each.lines) for each in panels(measurements)] == [["up"]] * 3
    assert panels(measurements)[0].lines["up"] == [(1.0, 12.0), (10.0, 12.0)]
