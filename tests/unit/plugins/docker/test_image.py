"""Names of images, cut into their parts."""

import pytest

from plugins.docker.image import registry, split


@pytest.mark.parametrize(
    ("name", "parts", "host"),
    [
        ("redis", ("redis", "latest"), "docker.io"),
        ("local/redis:1", ("local/redis", "1"), "docker.io"),
        ("registry.example:5000/a/b", ("registry.example:5000/a/b", "latest"), "registry.example:5000"),
        ("a@sha256:00", ("a@sha256:00", None), "docker.io"),
    ],
)
def test_image_names(name: str, parts: tuple[str, str | None], host: str) -> None:
    assert (split(name), registry(name)) == (parts, host)
