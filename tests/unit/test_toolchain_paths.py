"""Where things lie: from an environment alone."""

from pathlib import Path

import pytest

from toolchain.paths import Paths, cache_directory, data_directory


@pytest.mark.parametrize(
    ("env", "cache", "data"),
    [
        ({"HOME": "/home/ann"}, "/home/ann/.cache/portals", "/home/ann/.local/share/portals"),
        ({"HOME": "/home/a b"}, "/home/a b/.cache/portals", "/home/a b/.local/share/portals"),
        (
            {"HOME": "/home/ann", "XDG_CACHE_HOME": "/fast", "XDG_DATA_HOME": "/safe"},
            "/fast/portals",
            "/safe/portals",
        ),
        # The specification wants relative ones ignored.
        (
            {"HOME": "/h", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": ""},
            "/h/.cache/portals",
            "/h/.local/share/portals",
        ),
    ],
)
def test_xdg(env, cache, data):
    assert (cache_directory(env), data_directory(env)) == (Path(cache), Path(data))


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_without_a_home_it_is_still_a_place_of_this_user_alone(home):
    assert cache_directory(home).is_absolute()
    assert str(data_directory(home)).startswith("/var/tmp/portals-")


def test_all_paths_lie_in_the_two():
    paths = Paths.of({"HOME": "/h"})
    cached = [
        paths.stamps,
        paths.logs,
        paths.lock,
        paths.go_caches,
        paths.venv("k"),
        paths.go("k"),
        paths.tools("k"),
    ]
    kept = [paths.state, paths.passphrase, paths.pulumi_home, paths.engine]
    assert all(path.is_relative_to(paths.cache) for path in cached)
    assert all(path.is_relative_to(paths.data) for path in kept)
    assert len({*cached, *kept}) == 11
