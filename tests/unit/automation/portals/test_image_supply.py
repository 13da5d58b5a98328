"""Which images are unwanted, where a tenant's file is wrong."""

from typing import Any

import pytest

from automation.portals import image_supply, tenant_files
from config.reading.errors import ConfigError


def test_a_tenant_s_file_that_is_wrong_hides_what_it_wants(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme.yaml").write_text("title: [")
    monkeypatch.setattr(tenant_files, "TENANTS", tmp_path)
    with pytest.raises(ConfigError):
        image_supply.unwanted_images()
