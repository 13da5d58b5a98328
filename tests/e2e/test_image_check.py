"""`./portal images check` on a real engine: images that keep the contract, that break a point of it, and that mean harm.

They have no code of edx-platform: files of the same names, and programs that do nothing, on the base image with Python.
"""

import base64
import io
import json
import time
from collections.abc import Iterator

import docker
import pytest
from typer.testing import CliRunner

from automation import images
from automation.cli import app
from automation.engine import image_contract, inventory
from automation.engine.image_contract import ContractBroken, Report
from automation.images import contract
from config.portal.labels import HELPER

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NAME = "portals-test/openedx"
CODE = contract.CODE
KNOWN = ["juniper", "redwood", "verawood"]
GOOD = f"""
USER root
RUN ln -sf /usr/bin/python3 /usr/local/bin/python \\
 && mkdir -p {CODE}/lms/envs {CODE}/cms/envs {CODE}/openedx/core/djangoapps/heartbeat /openedx/staticfiles/studio \\
 && cd {CODE} && touch manage.py \\
 && for each in lms cms; do touch $each/__init__.py $each/envs/__init__.py $each/envs/production.py $each/envs/common.py; done \\
 && echo 'RELEASE_LINE = "verawood"' >openedx/core/release.py \\
 && for each in '' studio/; do echo '{{}}' >/openedx/staticfiles/${{each}}webpack-stats.json; done \\
 && for each in uwsgi celery; do printf '#!/bin/sh\\n' >/usr/local/bin/$each; chmod +x /usr/local/bin/$each; done \\
 && for each in django celery yaml; do touch /usr/lib/python3/dist-packages/$each.py; done
USER 1000
"""
# What breaks a point, as lines of a Dockerfile; the point; words of what is found.
BROKEN = {
    "no python": ("RUN rm /usr/local/bin/python", "python", "does not start"),
    "a python for root alone": ("RUN chmod 700 /usr/local/bin/python /usr/bin/python3*", "python", "it "),
    "no uwsgi": ("RUN rm /usr/local/bin/uwsgi", "programs", "without uwsgi"),
    "no bash": ("RUN rm /bin/bash", "programs", "without bash"),
    "no code": (f"RUN rm -r {CODE}", "code", "cannot read manage.py"),
    "code for root alone": (f"RUN chmod -R go= {CODE}", "code", "user 1000 cannot read manage.py"),
    "no heartbeat": (f"RUN rmdir {CODE}/openedx/core/djangoapps/heartbeat", "health", "no heartbeat app"),
    "a requirement that is not there": (
        f"RUN echo 'import xblock_of_ours' >{CODE}/cms/envs/common.py",
        "settings",
        "cms.envs.common: ModuleNotFoundError",
    ),
    "settings that end the program": (
        f"RUN echo 'raise SystemExit(3)' >{CODE}/lms/envs/common.py",
        "settings",
        "lms.envs.common: SystemExit: 3",
    ),
    "no static files": ("RUN rm -r /openedx/staticfiles", "static files", "without /openedx/staticfiles,"),
    "no files of studio": ("RUN rm -r /openedx/staticfiles/studio", "static files", "staticfiles/studio,"),
    "another release": (
        f"RUN echo 'RELEASE_LINE = \"palm\"' >{CODE}/openedx/core/release.py",
        "release",
        "palm",
    ),
    "a volume over ours": ("VOLUME /openedx/media", "build", "VOLUME /openedx/media"),
    "a trigger": ("ONBUILD RUN id", "build", "ONBUILD RUN id"),
}
# What stands in the place of its Python; words of what is found.
HOSTILE = {
    "escapes": (r"printf '\033[2J\033]0;owned\007::error::x\n{\"python\": 1}\n'", "it said 2 lines"),
    "a line of gigabytes": ("exec head -c 9000000000 /dev/zero", "it said more than 256 KiB"),
    "errors of gigabytes": ("exec yes error >&2", "it said more than 256 KiB"),
    "no end": ("while :; do :; done", "it did not end within 3 s"),
    "no end after its words": ("exec >&- 2>&-; while :; do :; done", "it did not end within 3 s"),
    "processes without end": ("f() { f | f & }; f; sleep 60", "it "),
    # The kernel ends it by its limit, or it ends when it gets no more.
    "memory without end": ("x=x; while :; do x=$x$x; done", "ended"),
    "secrets of its engine": (
        "cat /run/secrets/* /portal/config/* /var/run/docker.sock; env; exit 7",
        "it ended with 7",
    ),
    "a way out": (
        "exec 3<>/dev/tcp/127.0.0.1/2375 || touch /usr/owned /openedx/owned; exit 9",
        "it ended with 9",
    ),
}


@pytest.fixture(scope="module")
def client() -> Iterator[docker.APIClient]:
    """The engine; what the tests built is gone afterwards."""
    with inventory.connect() as connected:
        yield connected
        for image in connected.images(NAME):
            connected.remove_image(image["RepoTags"][0], force=True)


@pytest.fixture(scope="module")
def good(client: docker.APIClient) -> str:
    base = images.build(["python"])["python"]
    return build(client, "good", base, GOOD)


def build(client: docker.APIClient, tag: str, base: str, lines: str) -> str:
    """An image of some lines of a Dockerfile; its name."""
    name = f"{NAME}:{tag}"
    file = io.BytesIO(f"FROM {base}\n{lines}\n".encode())
    for step in client.build(fileobj=file, tag=name, rm=True, forcerm=True, decode=True):
        assert "error" not in step, step
    return name


def reported(client: docker.APIClient, image: str, release: str = "") -> Report:
    made = image_contract.report(client, image, KNOWN, release)
    assert client.containers(all=True, filters={"label": HELPER, "ancestor": image}) == []
    return made


def test_a_good_image_keeps_the_contract(client: docker.APIClient, good: str) -> None:
    report = reported(client, good, "verawood")
    assert report.broken == []
    assert {each.name: each.found for each in report.checks}["python"].startswith("3.")
    assert all(each.ok for each in report.checks)
    image_contract.require(client, good, KNOWN, "verawood", lambda text: None)
    with pytest.raises(
        ContractBroken, match=r"1 point of the contract .*\n  release: verawood, expected redwood; "
    ):
        image_contract.require(client, good, KNOWN, "redwood", lambda text: None)


@pytest.mark.parametrize("title", BROKEN)
def test_each_point_that_is_broken_is_found(client: docker.APIClient, good: str, title: str) -> None:
    lines, name, words = BROKEN[title]
    image = build(client, title.replace(" ", "-"), good, f"USER root\n{lines}\nUSER 1000")
    broken = {each.name: each for each in reported(client, image).broken}
    assert name in broken, broken
    assert words in broken[name].found
    assert broken[name].remedy


@pytest.mark.parametrize("title", HOSTILE)
def test_an_image_that_means_harm_has_little_time_memory_and_words(
    client: docker.APIClient, good: str, title: str
) -> None:
    program, words = HOSTILE[title]
    if title.startswith("processes") and not client.info()["PidsLimit"]:
        pytest.skip("this engine's kernel limits no processes")
    script = base64.b64encode(f"#!/bin/bash\n{program}\n".encode()).decode()
    place = "/usr/local/bin/python"
    lines = f"USER root\nRUN rm {place} && echo {script} | base64 --decode >{place} && chmod 755 {place}"
    image = build(client, title.replace(" ", "-"), good, lines)
    began = time.monotonic()
    probe_result = image_contract.run_probe(client, image, limit=60.0 if title.startswith("memory") else 3.0)
    assert time.monotonic() - began < 100
    assert words in probe_result.failure
    assert probe_result.failure.isprintable()
    assert len(probe_result.failure) < 600
    assert client.containers(all=True, filters={"label": HELPER, "ancestor": image}) == []


def test_the_verb_says_a_row_for_each_point_and_ends_with_its_code(
    client: docker.APIClient, good: str
) -> None:
    ran = CliRunner().invoke(app, ["images", "check", good, "--json"])
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    assert (report["keeps_contract"], report["reference"], report["digest"]) == (True, good, "")
    assert report["id"].startswith("sha256:")
    ran = CliRunner().invoke(app, ["images", "check", good, "--release", "redwood"])
    assert ran.exit_code == ContractBroken.exit_code == 12
    rows = {line.split("  ")[0]: line for line in ran.stdout.splitlines()}
    assert "no" in rows["release"].split()
    assert f"{good}: 1 point not kept" in ran.stdout
    assert "release: build it from the code of that release" in ran.stdout
