"""openedx-standin's data stores, with its images built and its jobs run."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker

from automation import images
from testbed.standin_bench import ROLES, Bench


@contextmanager
def running(*jobs: str) -> Iterator[Bench]:
    """A bench whose jobs have ended well. Its containers are removed afterwards."""
    client = docker.from_env(timeout=180)
    try:
        with Bench(client, images.build([*ROLES, "forum", "openedx-standin"])) as bench:
            code, log = bench.run_job(*jobs)
            assert code == 0, log
            yield bench
    finally:
        client.close()
