"""What a tenant is once its file has been read."""

import dataclasses
import os
import shutil
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from config.portal.networks import networks
from config.reading.errors import ConfigError
from config.releases.release import Release
from config.tenant.tenant import Admin, Hosts, Listen, Mail, Placement, Size, Storage, Tenant, names
from tests.programs import released
from tests.unit.config.bad_files import DATA

ROOT = Path(__file__).parents[4]
TENANTS = ROOT / "tenants"
SMALL = """
title: Acme
hosts: {lms: learn.acme.example, cms: studio.acme.example}
listen: {port: 8080}
placement: {subnet: 10.77.5.0/24}
admin: {email: admin@acme.example}
"""


def only(folder: Path, text: str, name: str = "acme") -> Tenant:
    (folder / f"{name}.yaml").write_text(text)
    return Tenant.load(name, folder)


def test_a_small_file_gives_a_whole_tenant(tmp_path: Path) -> None:
    release = Release.load("redwood", ROOT / "config" / "releases")
    assert only(tmp_path, SMALL) == Tenant(
        name="acme",
        title="Acme",
        release=release,
        images="packages",
        hosts=Hosts(lms="learn.acme.example", cms="studio.acme.example"),
        listen=Listen(address="127.0.0.1", port=8080),
        placement=Placement(docker_host="", subnet=IPv4Network("10.77.5.0/24")),
        storage=Storage(root="/srv/portals"),
        admin=Admin(email="admin@acme.example", username="admin"),
        mail=Mail(delivery="direct", smarthost="", username="", domains=()),
        sizes={
            name: Size(memory=service.memory, workers=service.workers)
            for name, service in release.services.items()
        },
    )


def test_it_has_the_services_of_its_release_but_those_that_it_leaves_out(tmp_path: Path) -> None:
    tenant = only(tmp_path, SMALL)
    assert set(tenant.release.services) - set(tenant.services) == {"mail-sink", "mfe"}
    sunk = only(
        tmp_path,
        SMALL.replace("cms: studio.acme.example", "cms: studio.acme.example, mail: mail.acme.example")
        + "mail: {delivery: sink}",
    )
    assert set(sunk.services) == {*sunk.release.services} - {"mfe"}


def test_front_ends_are_only_in_portals_that_have_an_image_of_them(tmp_path: Path) -> None:
    """None is built here; their host and their sizes are only where they are."""
    with pytest.raises(ConfigError, match="sizes/mfe: is not known"):
        only(tmp_path, SMALL + "sizes: {mfe: {memory: 96MiB}}")
    own = f"service_images: {{mfe: registry.acme.example/mfe@sha256:{'0' * 64}}}\n"
    assert "mfe" in only(tmp_path, SMALL + own + "sizes: {mfe: {memory: 96MiB}}").services
    (tmp_path / "hub").mkdir()
    assert "mfe" in released("acme", "redwood", tmp_path / "hub").services


def test_its_mail_comes_from_its_own_domains(tmp_path: Path) -> None:
    assert only(tmp_path, SMALL).sender_domains == ("learn.acme.example",)
    domains = "mail: {domains: [acme.example, learn.acme.example]}"
    assert only(tmp_path, SMALL + domains).sender_domains == ("acme.example", "learn.acme.example")


def test_its_networks_and_directory_follow_from_the_file(tmp_path: Path) -> None:
    tenant = only(tmp_path, SMALL)
    assert {name: str(each.subnet) for name, each in networks(tenant).items()} == {
        "front": "10.77.5.0/27",
        "mail": "10.77.5.32/27",
        "data": "10.77.5.64/27",
        "cache": "10.77.5.96/27",
        "documents": "10.77.5.128/27",
        "search": "10.77.5.160/27",
        "ingress": "10.77.5.224/28",
        "egress": "10.77.5.240/28",
    }
    assert tenant.directory == "/srv/portals/acme"


def test_sizes_change_what_they_name_and_nothing_else(tmp_path: Path) -> None:
    plain = only(tmp_path, SMALL).sizes
    sized = only(tmp_path, SMALL + "sizes: {lms: {memory: 640MiB, workers: 4}, mysql: {memory: 1GiB}}").sizes
    assert sized["lms"] == Size(memory=640, workers=4)
    assert sized["mysql"] == Size(memory=1024, workers=0)
    assert {each for each in plain if plain[each] != sized[each]} == {"lms", "mysql"}


def test_more_processes_get_and_need_more_memory(tmp_path: Path) -> None:
    groups = "worker_groups: {lms-workers-heavy: {queues: [high_mem], workers: 3}}"
    plain = only(tmp_path, SMALL)
    tenant = only(tmp_path, SMALL + "sizes: {lms: {workers: 4}, cms: {workers: 1}}\n" + groups)
    lms, workers = tenant.release.services["lms"], tenant.release.services["lms-workers"]
    assert lms.memory_each > 0
    assert tenant.sizes["lms"].memory == plain.sizes["lms"].memory + 2 * lms.memory_each
    assert tenant.least_memory("lms") == plain.least_memory("lms") + 2 * lms.memory_each
    # Fewer need no less: what all of them share is most of it.
    assert tenant.sizes["cms"].memory == plain.sizes["cms"].memory
    assert tenant.least_memory("cms") == plain.least_memory("cms")
    assert tenant.worker_groups["lms-workers-heavy"].memory == workers.memory + 2 * workers.memory_each
    least = workers.memory_min + 2 * workers.memory_each
    assert tenant.least_memory("lms-workers-heavy") == least
    with pytest.raises(ConfigError, match=f"for 3 workers of lms-workers, expected at least {least}MiB"):
        only(tmp_path, SMALL + groups.replace("workers: 3", f"workers: 3, memory: {least - 1}MiB"))


@pytest.mark.parametrize("release", ["juniper", "redwood", "verawood"])
def test_processes_of_public_images_have_their_own_figure(release: str) -> None:
    services = Release.load(release, ROOT / "config" / "releases").services
    for name in ("lms", "cms", "lms-workers", "cms-workers"):
        each = services[name]
        more = each.least_memory("hub", each.workers + 1) - each.least_memory("hub", each.workers)
        assert more == each.hub.memory_each > each.memory_each


def test_nobody_can_change_it(tmp_path: Path) -> None:
    tenant = only(tmp_path, SMALL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        tenant.title = "Other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        tenant.sizes["lms"] = Size(memory=1, workers=1)  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("title: Acme", 'title: "2024"'),
        SMALL.replace("title: Acme", "title: دانشگاه آزاد"),
        SMALL.replace("title: Acme", "title: \u0645\u06cc\u200c\u0631\u0648\u062f"),
        SMALL.replace("title: Acme", "title: Université de l'Est"),
        SMALL.replace("learn.acme.example", "xn--bcher-kva.example"),
        SMALL.replace("learn.acme.example", "3m.example"),
        SMALL.replace("port: 8080", "port: 443, address: 0.0.0.0"),
        SMALL.replace("port: 8080", "port: 80, address: 192.0.2.7"),
        SMALL.replace("subnet:", "docker_host: ssh://ops@docker1.example.com:2222, subnet:"),
        SMALL.replace("subnet:", "docker_host: tcp://192.0.2.7:2376, subnet:"),
        SMALL.replace("subnet:", "docker_host: unix:///run/user/1000/docker.sock, subnet:"),
        SMALL + "storage: {root: /mnt/nfs-1/portals_2.0}",
        SMALL + "storage:\n  # root: /srv/portals\nsizes:\n",
        SMALL + "sizes: {lms: {memory: 64GiB, workers: 64}, nginx: {}}",
        SMALL.replace("\n", "\r\n"),
        "---" + SMALL + "...\n",
        "# für Acme\n" + SMALL,
    ],
)
def test_these_are_good(text: str, tmp_path: Path) -> None:
    assert only(tmp_path, text).name == "acme"


@pytest.mark.parametrize("name", names(TENANTS))
def test_the_repo_s_own_tenants_are_good(name: str) -> None:
    assert Tenant.load(name, TENANTS).name == name


def test_demo_and_acme_choose_differently() -> None:
    demo, acme = (Tenant.load(name, TENANTS) for name in ("demo", "acme"))
    for field in ("title", "hosts", "listen", "placement", "admin", "sizes"):
        assert getattr(demo, field) != getattr(acme, field), field


def test_tenants_are_the_yaml_files_of_the_folder_but_for_the_cli_s_and_editors(tmp_path: Path) -> None:
    for name in ("zeta.yaml", "acme.yaml", "Pulumi.acme.yaml", ".#acme.yaml", "acme.yaml~", "notes.txt"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ["acme", "zeta"]
    assert names(tmp_path / "absent") == []


def refused(name: str, folder: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Tenant.load(name, folder)
    return caught.value.findings


def test_a_tenant_without_a_file_is_told_which_there_are(tmp_path: Path) -> None:
    folder = tmp_path / "tenants"
    assert refused("acme", folder) == ("tenants/acme.yaml: does not exist; tenants there: none",)
    folder.mkdir()
    only(folder, SMALL)
    shutil.copy(DATA / "tenants" / "neighbour.yaml", folder)
    assert refused("acne", folder) == (
        "tenants/acne.yaml: does not exist; did you mean 'acme'? tenants there: acme, neighbour",
    )


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tenants"
    folder.mkdir()
    only(tmp_path, SMALL)
    assert refused("../acme", folder) == (
        "tenants/../acme.yaml: name: '../acme' is not a tenant name, expected lower case, digits and single hyphens, "
        "for example 'acme'",
    )


@pytest.mark.parametrize("name", ["a\nb\nc", "\x1b[2J-acme", "/etc/passwd", "acme\x00", "", "acme\n"])
def test_a_name_cannot_spoil_the_error(name: str, tmp_path: Path) -> None:
    (finding,) = refused(name, tmp_path)
    assert finding.isprintable()


def test_a_directory_a_fifo_and_a_dangling_link_are_no_tenant_files(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").mkdir()
    os.mkfifo(tmp_path / "two.yaml")
    (tmp_path / "three.yaml").symlink_to(tmp_path / "nowhere")
    assert refused("one", tmp_path)[0] == f"{tmp_path.name}/one.yaml: is not a file"
    assert refused("two", tmp_path)[0] == f"{tmp_path.name}/two.yaml: is not a file"
    assert (
        refused("three", tmp_path)[0]
        == f"{tmp_path.name}/three.yaml: cannot be read: No such file or directory"
    )


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(SMALL + "#" * 65536)
    refusal_text = "acme.yaml: is larger than 64 KiB, expected what a person can review"
    assert refused("acme", tmp_path) == (f"{tmp_path.name}/{refusal_text}",)


def test_a_file_wrong_from_top_to_bottom_does_not_fill_the_screen(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text("".join(f"*alias{number}: x\n" for number in range(3000)))
    lines = refused("acme", tmp_path)
    assert len(lines) == 101
    assert lines[-1].endswith("more findings")
