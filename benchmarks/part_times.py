"""What each part of a `pulumi` command costs alone: the CLI, the program's imports, a plugin until it listens."""

import selectors
import statistics
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.site import Site

TIMES = 5
LIMIT_SECONDS = 60.0


def time_parts(site: Site) -> dict[str, float]:
    """Median seconds of each part; parts that are not on this machine are left out."""
    environ = site.environ
    measured = {
        "pulumi, printing its version": ["pulumi", "version"],
        "python, starting": ["python3", "-c", ""],
        "python, importing pulumi": ["python3", "-c", "import pulumi"],
        "python, importing pulumi_docker": ["python3", "-c", "import pulumi_docker"],
        "python, importing the whole program": ["python3", "-c", "import components.portal"],
    }
    seconds = {
        name: statistics.median(seconds_until_end(words, site.checkout, environ) for _ in range(TIMES))
        for name, words in measured.items()
    }
    for plugin in sorted(Path(environ["PULUMI_HOME"], "plugins").glob("resource-*/pulumi-resource-*")):
        name = f"plugin {plugin.name.removeprefix('pulumi-resource-')}, until it listens"
        seconds[name] = statistics.median(
            seconds_until_listening(plugin, site.checkout, environ) for _ in range(TIMES)
        )
    return seconds


def seconds_until_end(words: list[str], cwd: Path, environ: Mapping[str, str]) -> float:
    """Seconds until a command has ended."""
    begin = time.monotonic()
    subprocess.run(
        words, cwd=cwd, env=dict(environ), stdout=subprocess.DEVNULL, timeout=LIMIT_SECONDS, check=True
    )
    return time.monotonic() - begin


def seconds_until_listening(plugin: Path, cwd: Path, environ: Mapping[str, str]) -> float:
    """Seconds until a plugin has printed the port on which it listens."""
    begin = time.monotonic()
    with (
        subprocess.Popen(
            [str(plugin), "127.0.0.1:1"],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as child,
        selectors.DefaultSelector() as selector,
    ):
        assert child.stdout is not None
        selector.register(child.stdout, selectors.EVENT_READ)
        selector.select(LIMIT_SECONDS)
        seconds = time.monotonic() - begin
        child.kill()
    return seconds
