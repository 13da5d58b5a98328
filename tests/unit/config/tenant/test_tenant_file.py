"""What is said of bad tenant files, word for word (tests/unit/config/data/bad-tenants.txt)."""

import shutil
from pathlib import Path

import pytest

from config.reading.errors import ConfigError
from config.tenant.tenant import Tenant
from tests.unit.config.bad_files import DATA, Bad, tenants

TABLE = tenants()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of tenants with one neighbour in it."""
    made = tmp_path / "tenants"
    made.mkdir()
    shutil.copy(DATA / "tenants" / "neighbour.yaml", made)
    return made


def findings(bad: Bad, folder: Path) -> list[str]:
    (folder / f"{bad.name}.yaml").write_bytes(bad.data)
    with pytest.raises(ConfigError) as caught:
        Tenant.load(bad.name, folder)
    assert str(caught.value) == "\n".join(caught.value.findings)
    return list(caught.value.findings)


@pytest.mark.parametrize("bad", TABLE, ids=[each.title for each in TABLE])
def test_is_refused_in_these_words(bad: Bad, folder: Path) -> None:
    assert findings(bad, folder) == bad.findings


def test_the_table_is_of_many_and_of_different_files() -> None:
    assert len(TABLE) >= 60
    assert len({(each.name, each.data) for each in TABLE}) == len(TABLE)
    assert len({each.title for each in TABLE}) == len(TABLE)


def test_the_good_file_is_good(folder: Path) -> None:
    shutil.copy(DATA / "tenants" / "good.yaml", folder)
    assert Tenant.load("good", folder).title == "Good College"
