"""What pins.toml may hold."""

import pytest

from toolchain.errors import ToolchainError
from toolchain.pins import _sums


def test_a_sum_is_a_sum() -> None:
    with pytest.raises(ToolchainError, match=r"archives: a\.tar\.gz: 'deadbeef' is not a SHA-256"):
        _sums({"a.tar.gz": "deadbeef"})
