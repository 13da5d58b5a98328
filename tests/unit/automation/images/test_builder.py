"""References of images, and the parts of their builder that need no engine."""

import os
import re
import shutil
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from automation.images import BuildError, Event, State
from automation.images.builder import lacking
from automation.images.command import run
from automation.images.context import context
from automation.images.event import Stopped
from automation.images.listing import Row
from automation.images.stages import Stages
from automation.images.wheels import platforms
from config.images import ImageError, recipe, recipes, reference, references, roles
from testbed.waiting import until

IMAGES = Path(__file__).resolve().parents[4] / "images"
ROLES = {
    *("base", "python", "jre", "mysql", "mongo", "redis", "memcached", "rabbitmq", "elasticsearch", "nginx"),
    *("load-balancer", "ops", "openedx-standin"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """base ← java ← search, which also uses python; base ← python."""
    for role, text in {
        "base": "packages: [ca-certificates]",
        "python": "parent: base",
        "java": "parent: base",
        "search": "parent: java\nuses: [python]\njars: pom.xml",
    }.items():
        home = tmp_path / role
        home.mkdir()
        (home / "image.yml").write_text(text)
        (home / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    return tmp_path


def changed(folder: Path, before: dict[str, str]) -> set[str]:
    return {role for role, now in references(folder).items() if before.get(role) != now}


def test_a_reference_is_the_role_and_sixteen_digits() -> None:
    for role, found in references(IMAGES).items():
        assert re.fullmatch(rf"portals/{role}:[0-9a-f]{{16}}", found)
        assert reference(role, IMAGES) == found


def test_every_role_of_the_house_is_there() -> None:
    assert set(roles(IMAGES)) >= ROLES
    for role in roles(IMAGES):
        assert (IMAGES / role / "Dockerfile").is_file(), role


def test_a_role_comes_after_all_it_needs() -> None:
    order = list(recipes(IMAGES))
    for role, made_of in recipes(IMAGES).items():
        assert all(order.index(need) < order.index(role) for need in made_of.needs), role


def test_the_same_files_give_the_same_reference_anywhere(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "images"
    shutil.copytree(folder, elsewhere)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert references(elsewhere) == references(folder)


@pytest.mark.parametrize("name", ["__pycache__/entry.cpython-311.pyc", "entry.pyc", "tests/test_entry.py"])
def test_what_never_reaches_an_image_does_not_count(folder: Path, name: str) -> None:
    before = references(folder)
    path = folder / "search" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("left behind")
    assert changed(folder, before) == set()


def test_content_name_and_x_bit_count(folder: Path) -> None:
    entry = folder / "search" / "entry"
    entry.write_text("#!/bin/sh\n")
    seen = [reference("search", folder)]
    entry.chmod(0o755)
    seen.append(reference("search", folder))
    entry.write_text("#!/bin/sh\r\n")
    seen.append(reference("search", folder))
    entry.rename(entry.with_name("start"))
    seen.append(reference("search", folder))
    assert len(set(seen)) == 4


def test_a_change_reaches_all_that_stand_on_it_and_no_other(folder: Path) -> None:
    before = references(folder)
    (folder / "java" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN true\n")
    assert changed(folder, before) == {"java", "search"}
    before = references(folder)
    (folder / "python" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN true\n")
    assert changed(folder, before) == {"python", "search"}
    before = references(folder)
    (folder / "base" / "image.yml").write_text("packages: [ca-certificates, tzdata]")
    assert changed(folder, before) == {"base", "python", "java", "search"}


def test_all_references_take_milliseconds() -> None:
    took = []
    for _ in range(5):
        began = time.process_time()
        references(IMAGES)
        took.append(time.process_time() - began)
    assert min(took) < 0.05


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("parent: [", "images/java/image.yml: is not YAML: "),
        ("- base", "images/java/image.yml: should be a mapping, for example 'parent: base'"),
        (
            "parnet: base",
            "images/java/image.yml: parnet: is not known; known are: parent, uses, wheels, jars, packages",
        ),
        (
            "uses: [python]",
            "images/java/image.yml: parent: every role but 'base' needs one, for example 'parent: base'",
        ),
        ("parent: 3", "images/java/image.yml: parent: should be a text"),
        (
            "parent: base\nuses: python",
            "images/java/image.yml: uses: should be a list of texts, for example '[python]'",
        ),
        (
            "parent: bsae",
            "images/java/image.yml: 'bsae' is not a role; known are: base, java, python, search",
        ),
        ("parent: search", "images/java/image.yml: is its own parent: java -> search -> java"),
    ],
)
def test_a_bad_recipe_says_where_and_what(folder: Path, text: str, error: str) -> None:
    (folder / "java" / "image.yml").write_text(text)
    with pytest.raises(ImageError) as caught:
        references(folder)
    assert str(caught.value).startswith(error)


@pytest.mark.parametrize("role", ["nonsuch", "../base", "", "Base"])
def test_an_unknown_role_is_named_with_the_known_ones(folder: Path, role: str) -> None:
    with pytest.raises(ImageError, match="known are: base, java, python, search"):
        recipe(role, folder)


def test_what_must_be_built_stops_at_what_is_there(folder: Path) -> None:
    known = recipes(folder)

    def names(asked: list[str], there: set[str]) -> list[str]:
        return [each.role for each in lacking(asked, known, there)]

    assert names(["search"], set()) == ["base", "java", "python", "search"]
    assert names(["search"], {"java", "python"}) == ["search"]
    assert names(["search"], {"search"}) == []
    with pytest.raises(
        BuildError, match="no image of the role 'serach'; known are: base, java, python, search"
    ):
        names(["serach"], set())


def test_the_context_is_the_same_for_the_same_files(folder: Path) -> None:
    extra = folder.parent / "wheels"
    extra.mkdir(exist_ok=True)
    (extra / "a.whl").write_bytes(b"a")
    entry = folder / "search" / "entry"
    entry.write_text("#!/bin/sh\n")
    entry.chmod(0o775)
    with context("search", folder, {"wheels": extra}) as first:
        content = first.read()
    os.utime(entry, (1, 1))
    with context("search", folder, {"wheels": extra}) as second:
        assert second.read() == content
        second.seek(0)
        with tarfile.open(fileobj=second) as tar:
            modes = {member.name: member.mode for member in tar}
    shutil.rmtree(extra)
    assert modes == {"Dockerfile": 0o644, "entry": 0o755, "image.yml": 0o644, "wheels/a.whl": 0o644}


def test_only_the_ends_of_first_stages_are_left_over() -> None:
    stages = Stages()
    for line in (
        *("Step 1/6 : ARG BASE", "Step 2/6 : FROM ${BASE} AS made", " ---> 000000000001"),
        *("Step 3/6 : RUN true", " ---> Running in 00000000000a", " ---> 000000000002"),
        *("Step 4/6 : FROM ${BASE}", " ---> 000000000001"),
        *(
            "Step 5/6 : COPY --from=made / /",
            " ---> 000000000003",
            "Step 6/6 : USER 1:1",
            " ---> 000000000004",
        ),
    ):
        stages.heard(line)
    assert stages.ends == ["000000000002"]


def test_a_failed_command_ends_with_its_last_lines() -> None:
    heard: list[str] = []
    words = ["sh", "-c", "echo first; echo last >&2; exit 3"]
    with pytest.raises(BuildError) as caught:
        run(words, what="downloading", limit=20, stop=threading.Event(), said=heard.append)
    assert str(caught.value) == "downloading: sh ended with code 3\n  first\n  last"
    assert heard == ["first", "last"]


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(BuildError, match="downloading: /nonsuch cannot be run: No such file or directory"):
        run(["/nonsuch"], what="downloading", limit=1, stop=threading.Event(), said=print)


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    words = ["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"]
    with pytest.raises(BuildError, match="downloading: took longer than 1 s"):
        run(words, what="downloading", limit=1, stop=threading.Event(), said=print)
    child = Path("/proc") / pid.read_text().strip() / "stat"
    # The kernel may still be at it.
    until("the child to end", lambda: ended(child), limit=10)


def ended(stat: Path) -> bool:
    """Whether a process is gone, or a zombie that nobody has waited for yet."""
    try:
        return ") Z " in stat.read_text()
    except OSError:
        return True


def test_a_command_is_given_up_when_another_failed() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        run([sys.executable, "-c", "input()"], what="x", limit=20, stop=stop, said=print)


def test_an_event_reads_in_one_line() -> None:
    assert str(Event(role="mysql", state=State.PRESENT)) == "mysql: present"
    assert str(Event(role="mysql", state=State.BUILT, seconds=9.4)) == "mysql: built 9 s"
    assert (
        str(Event(role="mysql", state=State.BUILDING, seconds=2.0, line="Step 1"))
        == "mysql: building 2 s: Step 1"
    )


def test_a_row_is_plain_data() -> None:
    row = Row(role="mysql", reference="portals/mysql:0", present=False, megabytes=None, created=None)
    assert row.facts() == {
        **{"role": "mysql", "reference": "portals/mysql:0", "present": False},
        **{"megabytes": None, "created": None},
    }


def test_wheels_may_be_as_new_as_the_images_own_libc() -> None:
    found = platforms("aarch64")
    assert found[0] == "manylinux_2_36_aarch64"
    assert "manylinux2014_aarch64" in found


def test_scripts_are_executable_and_strict() -> None:
    for role in ROLES - {"openedx-standin"}:
        for name in ("entry", "probe", "warm-up", "storage-init"):
            path = IMAGES / role / name
            if path.exists():
                assert os.access(path, os.X_OK), path
                text = path.read_text()
                assert text.startswith("#!/bin/bash\n# "), path
                assert "\nset -e" in text, path


def test_what_a_tool_puts_aside_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is stopped half-way, as Ctrl-C and SIGTERM do it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stop = threading.Event()
    said: list[str] = []

    def heard(line: str) -> None:
        said.append(line)
        stop.set()

    with pytest.raises(Stopped):
        run(
            ["sh", "-c", 'touch "$TMPDIR/pip-a"; echo "$TMPDIR"; exec tail -f /dev/null'],
            what="x",
            limit=60,
            stop=stop,
            said=heard,
        )
    assert Path(said[0]).parent == tmp_path
    assert not any(tmp_path.iterdir())
