"""A tool's process tree."""

import pytest

from benchmarks import processes


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["/x/bin/pulumi", "up", "--yes"], "pulumi up"),
        (["/v/bin/python3", "-u", "/y/exec", "--a"], "python3 exec"),
        (["/v/bin/python", "-m", "plugins.docker", "127.0.0.1:1"], "python plugins.docker"),
        ([], ""),
    ],
)
def test_processes_have_short_names(words: list[str], name: str) -> None:
    assert processes.short(words) == name


def test_a_tree_has_children_of_children() -> None:
    assert sorted(processes.members(5, {6: 5, 7: 6, 8: 1})) == [5, 6, 7]
