"""Which images a build has to make."""

from pathlib import Path

import pytest

from automation.images import BuildError
from automation.images.builder import missing_recipes
from config.images import recipes


def test_what_must_be_built_stops_at_what_is_there(image_folder: Path) -> None:
    known = recipes(image_folder)

    def names(roles: list[str], there: set[str]) -> list[str]:
        return [each.role for each in missing_recipes(roles, known, there)]

    assert names(["search"], set()) == ["base", "java", "python", "search"]
    assert names(["search"], {"java", "python"}) == ["search"]
    assert names(["search"], {"search"}) == []
    with pytest.raises(
        BuildError, match="no image of the role 'serach'; known are: base, java, python, search"
    ):
        names(["serach"], set())
