"""bcrypt hashes."""

import re

import pytest

from plugins.random.bcrypt import bcrypt_hash


def test_bcrypt_hashes_are_of_the_usual_form_and_salted() -> None:
    one, other = bcrypt_hash("a"), bcrypt_hash("a")
    if one is None:
        pytest.skip("this machine's C library knows no bcrypt")
    assert re.fullmatch(r"\$2a\$10\$[./A-Za-z0-9]{53}", one)
    assert one != other
