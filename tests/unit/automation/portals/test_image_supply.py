"""Which images are unwanted, where a tenant's file is wrong."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation import images
from automation.engine import image_contract, inventory
from automation.errors import WrongWords
from automation.portals import image_supply, tenant_files
from config.reading.errors import ConfigError
from tests.programs import released


def test_a_tenant_s_file_that_is_wrong_hides_what_it_wants(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme.yaml").write_text("title: [")
    monkeypatch.setattr(tenant_files, "TENANTS", tmp_path)
    with pytest.raises(ConfigError):
        image_supply.unwanted_images()


@pytest.mark.parametrize(("own", "there", "looks"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_an_openedx_image_of_one_s_own_is_checked_once_before_anything_is_built_on_it(
    own: bool, there: bool, looks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tenants").mkdir()
    image = f"registry.acme.example/openedx@sha256:{'c' * 64}"
    tenant = replace(released("acme", "verawood", tmp_path / "tenants"), openedx=image if own else "")
    done: list[str] = []

    def require(client: Any, reference: str, known: list[str], release: str, say: Any) -> None:
        assert (reference, release) == (image, "verawood")
        done.append("checked")

    monkeypatch.setattr(image_supply, "build_images", lambda tenants, say: None)
    monkeypatch.setattr(images, "pull", lambda wanted, say, docker_host: done.append("pulled"))
    monkeypatch.setattr(images, "absent", lambda wanted, docker_host: [] if there else wanted)
    monkeypatch.setattr(images, "derive", lambda wanted, docker_host, on_event: done.append("derived"))
    monkeypatch.setattr(inventory, "connect", lambda host: nullcontext())
    monkeypatch.setattr(image_contract, "require", require)
    image_supply.prepare_images(tenant, lambda text: None)
    assert done == ["pulled", *["checked"] * looks, "derived"]


@pytest.mark.parametrize("reference", ["../../containers/json", "", "-x", "a b", "x" * 500, "a@b\x1b"])
def test_what_is_no_image_s_name_is_refused_unasked(reference: str) -> None:
    with pytest.raises(WrongWords, match="is not the name of an image"):
        image_supply.check_image(reference, "", pytest.fail)
    with pytest.raises(WrongWords, match="'palm' is not a release; there are: juniper, redwood, verawood"):
        image_supply.check_image("acme/openedx:1", "palm", pytest.fail)
