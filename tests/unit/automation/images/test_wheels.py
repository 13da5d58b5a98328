"""Which wheels an image may get."""

from automation.images.wheels import platforms


def test_wheels_may_be_as_new_as_the_images_own_libc() -> None:
    tags = platforms("aarch64")
    assert tags[0] == "manylinux_2_36_aarch64"
    assert "manylinux2014_aarch64" in tags
