"""Facts that stand twice, for one of the two must stand alone: each pair is equal, and both places are named here."""

import ast
import runpy
from pathlib import Path

import pytest

from automation.runs import unknown
from config.portal import labels, resource_types
from config.releases.release import Releases
from plugins import values
from plugins.docker.container.properties import CONTAINER
from plugins.docker.network import NETWORK
from plugins.docker.provider import SETTINGS
from plugins.docker.volume import VOLUME
from plugins.random.text import PASSWORD
from policies.house import resource

ROOT = Path(__file__).parents[2]
RELEASES = Releases(ROOT / "config" / "releases")


def test_types_are_those_that_the_plugins_serve() -> None:
    """config/portal/resource_types.py and the plugins, which run without the rest of this repository."""
    assert CONTAINER.name == resource_types.CONTAINER
    assert NETWORK.name == resource_types.NETWORK
    assert VOLUME.name == resource_types.VOLUME
    assert PASSWORD.name == resource_types.PASSWORD
    assert SETTINGS.name == resource_types.DOCKER_PROVIDER


def test_the_policy_pack_has_the_same_types_and_labels() -> None:
    """policies/house/resource.py, which runs with Pulumi's SDK alone."""
    for name in ("CONTAINER", "NETWORK", "VOLUME"):
        assert getattr(resource, name) == getattr(resource_types, name)
    for name in ("TENANT", "SERVICE", "GROUP"):
        assert getattr(resource, name) == getattr(labels, name)


def test_what_tests_leave_is_found_by_the_tenants_label() -> None:
    """.ci/leftovers.py, which runs outside of any package."""
    assert runpy.run_path(str(ROOT / ".ci" / "leftovers.py"))["OURS"] == {"label": labels.TENANT}


def test_what_is_not_known_yet_is_so_for_plugins_and_plans_alike() -> None:
    """automation/runs/unknown.py, which reads previews without Pulumi's SDK, and plugins/values.py."""
    assert unknown.UNKNOWN == values.UNKNOWN_TEXTS


@pytest.mark.parametrize("image", ["openedx-standin/app/standin/entry.py", "openedx/openedx_entry.py"])
@pytest.mark.parametrize("release", RELEASES.known())
def test_images_have_the_queues_of_each_release(image: str, release: str) -> None:
    """config/releases says which queues a worker may be told to take; an image keeps its own table, standing alone."""
    tree = ast.parse((ROOT / "images" / image).read_text())
    (table,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "QUEUES"
    )
    services = RELEASES.load(release).services
    assert table == {variant: services[f"{variant}-workers"].queues for variant in ("lms", "cms")}


def meaning(path: str, *names: str) -> dict[str, str]:
    """What a module defines under these names, or all of it, without the words that differ by image."""
    meanings = {}
    for node in ast.parse((ROOT / "images" / path).read_text()).body:
        if isinstance(node, ast.Assign):
            name = ast.unparse(node.targets[0])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        else:
            continue
        if not names or name in names:
            meanings[name] = ast.unparse(node)
    return meanings


@pytest.mark.parametrize("module", ["bounded", "worker"])
def test_slow_clients_are_bounded_alike(module: str) -> None:
    """images/forum and images/openedx-standin each have the module: one image is built without the other."""
    forum = meaning(f"forum/app/service/{module}.py")
    assert forum
    assert forum == meaning(f"openedx-standin/app/standin/{module}.py")


def code_of(path: str, name: str) -> str:
    """A function's code without its docstring, wherever it stands in the repository."""
    (function,) = (
        node
        for node in ast.parse((ROOT / path).read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    return "\n".join(map(ast.unparse, function.body[1:] if ast.get_docstring(function) else function.body))


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        # One runs in an image's Python, the other in that of a public image.
        ("merged", "images/configuration/configurator/layers.py", "images/openedx/openedx_entry.py"),
        # testbed/ tries automation/, and so does without it.
        ("output_parts", "automation/engine/docker_exec.py", "testbed/container_exec.py"),
    ],
)
def test_a_function_that_stands_in_two_places_is_the_same(name: str, one: str, other: str) -> None:
    assert code_of(one, name) == code_of(other, name)


def test_a_hanging_store_holds_one_thread_in_both_heartbeats() -> None:
    """images/forum and images/openedx-standin ask their own stores in the same way."""
    forum = code_of("images/forum/app/service/heartbeat.py", "_start_check")
    standin = code_of("images/openedx-standin/app/standin/heartbeat.py", "_start_check")
    assert forum == standin.replace("EXTENDED", "CHECKS")


def test_gunicorn_is_set_alike() -> None:
    """Of what images/forum and images/openedx-standin tell gunicorn, all that is no matter of the one application."""
    names = ("pre_fork", "preload_app", "backlog", "timeout", "keepalive", "worker_tmp_dir", "accesslog")
    forum = meaning("forum/app/service/gunicorn.py", *names, "logger_class", "control_socket_disable")
    assert len(forum) == len(names) + 2
    assert forum == meaning(
        "openedx-standin/app/standin/gunicorn.py", *names, "logger_class", "control_socket_disable"
    )


def methods(path: str, class_name: str) -> dict[str, str]:
    """The code of each method of a class, without its docstring."""
    (body,) = (
        node.body
        for node in ast.parse((ROOT / path).read_text()).body
        if isinstance(node, ast.ClassDef) and node.name == class_name
    )
    return {
        each.name: "\n".join(map(ast.unparse, each.body[1:] if ast.get_docstring(each) else each.body))
        for each in body
        if isinstance(each, ast.FunctionDef)
    }


def test_both_access_logs_hide_the_same() -> None:
    """images/forum and images/openedx-standin; only the latter is behind the load balancer, which names the client."""
    forum = methods("images/forum/app/service/gunicorn.py", "Logger")
    standin = methods("images/openedx-standin/app/standin/gunicorn.py", "Logger")
    client = "environ.get('HTTP_X_FORWARDED_FOR', ''), "
    assert client in standin["access"]
    assert forum["access"].replace("service", "standin") == standin["access"].replace(client, "")
    assert {**forum, "access": ""} == {**standin, "access": ""}


def test_no_other_file_of_the_program_writes_them_out() -> None:
    """Types and labels of a portal stand in config/portal/ alone; every other file imports them."""
    names = {
        value
        for module in (labels, resource_types)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and not value.endswith(":")
    }
    copies = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for room in ("automation", "benchmarks", "components", "config", "preflight", "testbed")
        for path in (ROOT / room).rglob("*.py")
        if path.parent != ROOT / "config" / "portal" or path.stem not in ("labels", "resource_types")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    ]
    assert not copies
