"""The contract between program and images, held to each image on a real engine. See docs/images.md."""

import base64
import contextlib
import dataclasses
import errno
import json
import os
import random
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.types
import pytest

from automation.drive import quota
from automation.drive import sentinel as marking
from automation.images import BuildError, Event, State, build
from config.releases import public_images
from testbed.waiting import until
from tests.e2e.image_engine import engine_with_images
from tests.e2e.image_trial import (
    IMAGES_NETWORK,
    KINDS,
    READY_LIMIT_SECONDS,
    ROOT,
    ImageContainer,
    StoreContract,
    fresh_secrets,
    image,
    store,
)

pytestmark = pytest.mark.e2e

LOADERS = ["ops", "nginx", "load-balancer", "memcached", "openedx-standin", *KINDS]
ENOUGH = 40
UIDS = {**{kind.role: kind.uid for kind in KINDS.values()}, "static": 61000, "media": 61000}


@pytest.fixture(scope="module")
def client() -> Iterator[docker.APIClient]:
    """The engine; with all images, and the network, and nothing that an earlier run left."""
    with engine_with_images(LOADERS) as made:
        yield made


@pytest.fixture(scope="module")
def drive(client: docker.APIClient) -> Iterator[Path]:
    """A marked drive with the directories of one portal, made by storage-init itself."""
    root = Path(tempfile.mkdtemp(prefix="portals-images-", dir="/var/tmp"))
    root.chmod(0o755)
    (root / ".portals-drive").write_text("portals-drive\n")
    (root / "portal").mkdir()
    code, output = storage_init(client, root)
    assert code == 0, output
    yield root
    for each in client.containers(all=True, filters={"label": IMAGES_NETWORK.label}):
        client.remove_container(each["Id"], force=True, v=True)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def drivers(client: docker.APIClient) -> ImageContainer:
    """A container that has the drivers of all data stores."""
    box = ImageContainer(
        client=client,
        name="c-drivers",
        role="openedx-standin",
        memory=384,
        entrypoint=("sleep", "infinity"),
        files={"/portal/clients.py": (Path(__file__).parent / "image_clients.py").read_text()},
    )
    return box.create().start()


@dataclass(kw_only=True)
class Trial:
    """One data store, the secrets it was last given, and what it has acknowledged."""

    kind: StoreContract
    box: ImageContainer
    drivers: ImageContainer
    secrets: dict[str, str]
    folder: Path
    acknowledged: int = 0
    ever: list[str] = field(default_factory=list)

    @property
    def password(self) -> str:
        return self.secrets.get(self.kind.password, "")

    def call(self, verb: str, password: str | None = None) -> tuple[int, str]:
        words = ("python3", "/portal/clients.py", self.kind.role, self.box.address, verb)
        return self.drivers.exec(*words, env={"PASSWORD": self.password if password is None else password})

    def numbers(self) -> list[int]:
        code, output = self.call("read")
        assert code == 0, output + self.box.logs()[-2000:]
        return [int(word) for word in output.split()]

    def again(self, **changes: str) -> None:
        """A new container over the same directory, as after `pulumi destroy` and `pulumi up`."""
        self.secrets.update(changes)
        self.ever.extend(changes.values())
        self.box = store(self.box.client, self.kind, self.folder, self.secrets).create().start()
        self.box.wait_ready()


@pytest.fixture(scope="module", params=KINDS)
def trial(
    request: pytest.FixtureRequest, client: docker.APIClient, drive: Path, drivers: ImageContainer
) -> Iterator[Trial]:
    """One data store after the other, on its own fresh directory."""
    kind = KINDS[request.param]
    folder = drive / "portal" / kind.role
    secrets = fresh_secrets(kind)
    box = store(client, kind, folder, secrets).create().start()
    box.wait_ready()
    yield Trial(
        kind=kind, box=box, drivers=drivers, secrets=secrets, folder=folder, ever=list(secrets.values())
    )
    box.remove()


class TestDataStore:
    """What holds for mysql, mongo, redis, rabbitmq and elasticsearch alike; in this order, on the same data."""

    def test_it_runs_as_its_user_without_any_right(self, trial: Trial) -> None:
        code, output = trial.box.exec("cat", "/proc/1/status")
        assert code == 0
        status = dict(line.split(":\t", 1) for line in output.splitlines() if ":\t" in line)
        assert status["Uid"].split() == [str(trial.kind.uid)] * 4
        assert status["Gid"].split() == [str(trial.kind.uid)] * 4
        assert status["NoNewPrivs"] == "1"
        assert {int(status[each], 16) for each in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}

    def test_nothing_acknowledged_is_lost_by_a_sigkill(self, trial: Trial) -> None:
        after = ENOUGH + random.randrange(60)
        words = ("python3", "/portal/clients.py", trial.kind.role, trial.box.address, "write")
        for line in trial.drivers.lines(*words, env={"PASSWORD": trial.password}):
            trial.acknowledged = int(line)
            if trial.acknowledged == after:
                trial.box.client.kill(trial.box.name)
        assert trial.acknowledged >= after, trial.box.logs()[-2000:]
        trial.box.wait_end()
        trial.box.start().wait_ready()
        numbers = trial.numbers()
        # One more may be there: written, and its answer cut off.
        assert numbers[: trial.acknowledged] == list(range(1, trial.acknowledged + 1))
        assert len(numbers) <= trial.acknowledged + 1

    def test_sigterm_ends_it_within_its_grace_and_nothing_is_lost(self, trial: Trial) -> None:
        before = trial.numbers()
        code, seconds = trial.box.stop(grace=30)
        assert code in trial.kind.exit_codes, trial.box.logs()[-2000:]
        assert seconds < 20
        trial.again()
        assert trial.numbers() == before

    def test_a_new_password_comes_with_the_next_start(self, trial: Trial) -> None:
        before, old = trial.numbers(), trial.password
        trial.box.stop()
        trial.again(**fresh_secrets(trial.kind))
        assert trial.password != old
        assert trial.call("login", old)[0] == 3
        assert trial.call("login", "")[0] == 3
        assert trial.numbers() == before

    def test_no_secret_shows(self, trial: Trial) -> None:
        box = trial.box
        inspected = str(box.client.inspect_container(box.name)) + str(
            box.client.history(image(trial.kind.role))
        )
        _, arguments = box.exec("sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'")
        for value in trial.ever:
            for text in (inspected, box.logs(), arguments):
                assert value not in text
                assert value.split("'")[0] not in text

    def test_its_probe_is_cheap_and_leaves_no_trace(self, trial: Trial) -> None:
        assert trial.box.ready()
        before = len(trial.box.logs().splitlines())
        for _ in range(5):
            assert trial.box.ready()
        assert len(trial.box.logs().splitlines()) == before

    def test_the_search_has_languages_scripts_and_changes_by_query(self, trial: Trial) -> None:
        if trial.kind.role != "elasticsearch":
            return

        login = base64.b64encode(f"elastic:{trial.password}".encode()).decode()

        def call(method: str, path: str, body: str) -> str:
            request = urllib.request.Request(
                f"http://{trial.box.address}:9200{path}",
                data=body.encode(),
                method=method,
                headers={"Content-Type": "application/json", "Authorization": f"Basic {login}"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                return str(answer.read().decode())

        for analyzer, text, token in (("english", "courses", "cours"), ("thai", "สวัสดีครับ", "สวัสดี")):
            analysis = call("POST", "/_analyze", json.dumps({"analyzer": analyzer, "text": text}))
            assert json.loads(analysis)["tokens"][0]["token"] == token
        call("PUT", "/scripted/_doc/1?refresh=true", '{"n": 1}')
        call("POST", "/scripted/_update/1?refresh=true", '{"script": {"source": "ctx._source.n += 41"}}')
        assert '"n":42' in call("GET", "/scripted/_doc/1", "")
        by_query = '{"script": {"source": "ctx._source.n = params.n", "params": {"n": 7}}}'
        assert '"updated":1' in call("POST", "/scripted/_update_by_query?refresh=true", by_query)
        assert '"deleted":1' in call("POST", "/scripted/_delete_by_query", '{"query": {"term": {"n": 7}}}')

    def test_it_refuses_what_is_not_its_own(
        self, trial: Trial, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        if trial.kind.role in ("redis", "elasticsearch"):
            return  # They leave what they do not know alone, and say nothing.
        folder = tmp_path_factory.mktemp(trial.kind.role)
        open_to_all(folder)
        (folder / "WiredTiger").write_text("another's")
        os.chown(folder, trial.kind.uid, trial.kind.uid)
        box = store(
            trial.box.client, trial.kind, folder, trial.secrets, name=f"c-{trial.kind.role}-foreign"
        ).create()
        assert box.start().wait_end() == 1
        assert f"{trial.kind.role}: /data holds files that this image did not make" in box.logs()
        assert "nothing was changed" in box.logs()
        assert [path.name for path in folder.iterdir()] == ["WiredTiger"]
        box.remove()

    def test_an_initialisation_cut_short_is_done_over(
        self, trial: Trial, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp(trial.kind.role)
        open_to_all(folder)
        os.chown(folder, trial.kind.uid, trial.kind.uid)
        trial.box.stop()
        box = store(trial.box.client, trial.kind, folder, trial.secrets).create()
        for _ in range(3):
            box.start()
            # No condition: a moment that nothing marks is the point.
            time.sleep(random.uniform(0.05, 2.5))
            box.kill()
        box.start().wait_ready()
        before, trial.box = trial.box, box
        assert trial.call("login")[0] == 0, box.logs()[-2000:]
        trial.box = before
        box.remove()


def open_to_all(folder: Path) -> None:
    """Another user must get through pytest's own directories."""
    for each in (folder, *folder.parents):
        if each.stat().st_uid == os.getuid() and each != Path("/") and each.stat().st_mode & 0o005 != 0o005:
            each.chmod(0o755)


@pytest.mark.parametrize("missing", ["absent", "empty"])
@pytest.mark.parametrize("role", KINDS)
def test_without_its_secret_nothing_starts(
    client: docker.APIClient, drive: Path, role: str, missing: str
) -> None:
    kind = KINDS[role]
    folder = drive / "portal" / role
    secrets = {} if missing == "absent" else dict.fromkeys(kind.secrets, "")
    box = store(client, kind, folder, secrets, name=f"c-{role}-secret").create().start()
    assert box.wait_end() == 1
    reason = "is missing or not readable" if missing == "absent" else "is empty"
    assert f"{role}: /run/secrets/{kind.secrets[0]} {reason}" in box.logs()
    box.remove()


def test_mysql_is_not_ready_when_an_account_could_not_be_made(
    client: docker.APIClient, tmp_path: Path
) -> None:
    kind = dataclasses.replace(
        KINDS["mysql"], config={"databases": f"edxapp {'u' * 130} mysql-edxapp-password\n"}, memory=256
    )
    open_to_all(tmp_path)
    os.chown(tmp_path, kind.uid, kind.uid)
    box = store(client, kind, tmp_path, fresh_secrets(kind), name="c-mysql-account").create().start()
    until("mysql to run", lambda: "ready for connections" in box.logs(), limit=60)
    code, output = until(
        "the probe to say why", lambda: [each] if (each := box.exec("/usr/local/bin/probe"))[1] else []
    )[0]
    assert code == 1
    assert f"mysql: {'u' * 130} cannot log in by mysql-edxapp-password to edxapp" in output
    box.remove()


def test_memcached_keeps_what_it_is_given_and_ends_at_once(
    client: docker.APIClient, drivers: ImageContainer
) -> None:
    box = (
        ImageContainer(client=client, name="c-memcached", role="memcached", user="60994", memory=96)
        .create()
        .start()
    )
    box.wait_ready()
    script = f"import pymemcache; c = pymemcache.Client('{box.address}'); c.set('k', b'v'); print(c.get('k'))"
    assert drivers.exec("python3", "-c", script) == (0, "b'v'\n")
    code, seconds = box.stop()
    assert code == 0
    assert seconds < 5
    box.remove()


def get(address: str, path: str, host: str = "") -> tuple[int, str, dict[str, str]]:
    request = urllib.request.Request(f"http://{address}{path}", headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)


@pytest.fixture
def nginx(client: docker.APIClient, drive: Path) -> Iterator[ImageContainer]:
    files = {
        "static/a.css": "body{}",
        "static/a.0123456789ab.css": "body{}",
        "static/.a.css.part": "body{",
        "media/b.svg": "<svg/>",
        "media/0123456789abcdef.png": "",
        "media/c.0123456789abcdef.png": "",
        "media/export.tar.gz": "a course",
    }
    for name, text in files.items():
        (drive / "portal" / name).write_text(text)
    link = drive / "portal/media/passwd.svg"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    (drive / "portal/media/.dir").mkdir(exist_ok=True)
    binds = (f"{drive}/portal/static:/openedx/static:ro", f"{drive}/portal/media:/openedx/media:ro")
    box = (
        ImageContainer(client=client, name="c-nginx", role="nginx", user="60993", memory=64, binds=binds)
        .create()
        .start()
    )
    box.wait_ready()
    yield box
    box.remove()


def test_nginx_serves_static_and_media_and_nothing_else(nginx: ImageContainer) -> None:
    at = f"{nginx.address}:8000"
    assert get(at, "/static/a.css")[:2] == (200, "body{}")
    code, text, headers = get(at, "/media/b.svg")
    assert (code, text) == (200, "<svg/>")
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert get(at, "/healthz")[0] == 200
    for path in (
        "/",
        "/static/nonsuch",
        "/etc/passwd",
        "/static/../../etc/passwd",
        "/static../media/b.svg",
        "/media",
        "/static/.a.css.part",
        "/static/",
    ):
        assert get(at, path)[0] in (400, 403, 404, 301), path
    assert get(at, "/media/passwd.svg")[0] == 403
    # What is no picture is shown by lms and cms, or to nobody.
    for path in ("/media/", "/media/export.tar.gz", "/media/passwd"):
        assert get(at, path)[0] == 404, path
    for path in ("/static/a.css?token=s3cr3t", "/s3cr3t", "/static/%20s3cr3t", "/media/../s3cr3t"):
        get(at, path)
    # Of the last request above, too: only then is the log whole.
    get(at, "/static/a.css?last")
    until("the log of all requests", lambda: nginx.logs().count("GET /static/a.css 200") >= 3)
    assert "s3cr3t" not in nginx.logs()
    code, seconds = nginx.stop()
    assert code == 0
    assert seconds < 10


@pytest.mark.parametrize(
    ("path", "cache_control"),
    [
        ("/static/a.css", "public, max-age=3600"),
        ("/static/a.0123456789ab.css", "public, max-age=31536000, immutable"),
        ("/media/b.svg", "public, max-age=300"),
        ("/media/0123456789abcdef.png", "public, max-age=300"),
        ("/media/c.0123456789abcdef.png", "public, max-age=31536000, immutable"),
    ],
)
def test_a_name_with_a_hash_in_it_is_kept_for_a_year(
    nginx: ImageContainer, path: str, cache_control: str
) -> None:
    nginx.start()
    nginx.wait_ready()
    code, _, headers = get(f"{nginx.address}:8000", path)
    assert (code, headers["Cache-Control"]) == (200, cache_control)


def test_the_load_balancer_routes_by_host_name(client: docker.APIClient, nginx: ImageContainer) -> None:
    caddyfile = "\n".join(
        [
            "{", "	admin off", "	auto_https off", "}",
            "http://files.example.com:8080 {", "	reverse_proxy nginx:8000", "}",
            "http://:8080 {", "	respond 404", "}",
            "http://:8081 {", "	respond /healthz 200", "}", "",
        ]
    )  # fmt: skip
    box = ImageContainer(
        client=client,
        name="c-load-balancer",
        role="load-balancer",
        user="60992",
        files={"/portal/config/Caddyfile": caddyfile},
    ).create()
    box.start().wait_ready()
    at = f"{box.address}:8080"
    assert get(at, "/static/a.css", "files.example.com")[:2] == (200, "body{}")
    assert get(at, "/static/a.css", "other.example.com")[0] == 404
    code, seconds = box.stop()
    assert code == 0
    assert seconds < 10
    box.remove()


@pytest.mark.parametrize("newer", [False, True], ids=["without the one application", "with it"])
def test_front_ends_are_served_by_their_folders(client: docker.APIClient, newer: bool) -> None:
    """By Caddy as the load balancer has it, with the file that the public image gets."""
    folders = ("authoring", "learning", *(("site",) if newer else ()))
    lms = ImageContainer(
        client=client,
        name="c-lms",
        role="load-balancer",
        user="60992",
        entrypoint=("caddy", "run", "--config", "/portal/lms", "--adapter", "caddyfile"),
        files={"/portal/lms": '{\n\tadmin off\n\tauto_https off\n}\n:8000 {\n\trespond "{host}{uri}"\n}\n'},
    ).create()
    mfe = ImageContainer(
        client=client,
        name="c-mfe",
        role="load-balancer",
        user="1000",
        entrypoint=("caddy", "run", "--config", "/portal/hub/mfe.caddyfile", "--adapter", "caddyfile"),
        env=("XDG_CONFIG_HOME=/tmp", "XDG_DATA_HOME=/tmp"),
        capabilities=("NET_BIND_SERVICE",),
        files={
            "/portal/hub/mfe.caddyfile": public_images.file("mfe.caddyfile"),
            **{f"/openedx/dist/{each}/index.html": each for each in folders},
            "/openedx/dist/learning/a.js": "a",
        },
    ).create()
    lms.start()
    mfe.start()
    at = f"{mfe.address}:8002"

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return get(at, "/healthz")[0] == 200
        return False

    until("the front ends' health", answers, limit=READY_LIMIT_SECONDS)
    other = (200, "site") if newer else (404, "")
    for path, content in {
        "/learning": (200, "learning"),
        "/learning/course/course-v1:a+b+c/home": (200, "learning"),
        "/learning/a.js": (200, "a"),
        "/instructor-dashboard/course-v1:a+b+c": other,
        "/": other,
        "/../../etc/passwd": other,
        "/api/mfe_config/v1?mfe=learning": (200, "lms/api/mfe_config/v1?mfe=learning"),
    }.items():
        assert get(at, path)[:2] == content, path
    assert get(at, "/course-authoring/course/a")[:2] == (200, "authoring"), (
        "where an older release's link leads"
    )
    lms.remove()
    # What it says when the lms is away has no address and no cookies.
    assert get(at, "/api/mfe_config/v1?token=stays-here")[0] == 502
    log = mfe.logs()
    assert "http.log.error" in log
    assert "stays-here" not in log
    mfe.remove()


def directories() -> tuple[str, ...]:
    return tuple(
        f"{name}:{uid}:{uid}:0750" for name, uid in sorted(UIDS.items()) if name not in ("static", "media")
    )


def storage_init(
    client: docker.APIClient,
    root: Path,
    words: tuple[str, ...] | None = None,
    *,
    free: int = 64,
    mounts: tuple[Any, ...] = (),
) -> tuple[int, str]:
    """Run the job as the program does; its exit code and what it said."""
    expected = (
        words if words is not None else (*directories(), "static:61000:61000:0755", "media:61000:61000:0755")
    )
    binds = [f"{root}/.portals-drive:/sentinel:ro"]
    if not mounts:
        binds.append(f"{root}/portal:/portal")
    box = ImageContainer(
        client=client,
        name="c-storage-init",
        role="ops",
        user="0",
        command=("storage-init", "--min-free-mb", str(free), *expected),
        binds=tuple(binds),
        mounts=mounts,
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        network="none",
    ).create()
    code = box.start().wait_end()
    output = box.logs()
    box.remove()
    return code, output


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A marked drive without a portal's directories."""
    open_to_all(tmp_path)
    (tmp_path / ".portals-drive").write_text("portals-drive\n")
    (tmp_path / "portal").mkdir()
    return tmp_path


def test_storage_init_makes_the_tree_once(client: docker.APIClient, root: Path) -> None:
    words = ("mysql:60999:60999:0750", "media:61000:61000:0755")
    code, output = storage_init(client, root, words)
    assert code == 0, output
    assert output.splitlines() == [
        "storage-init: made media for 61000:61000",
        "storage-init: made mysql for 60999:60999",
        "storage-init: 2 directories are ready",
    ]
    stats = {path.name: path.stat() for path in (root / "portal").iterdir() if path.name != ".portal"}
    assert {name: (at.st_uid, at.st_gid, at.st_mode & 0o7777) for name, at in stats.items()} == {
        "mysql": (60999, 60999, 0o750),
        "media": (61000, 61000, 0o755),
    }
    assert (root / "portal/.portal/directories").read_text() == "media\nmysql\n"
    before = (root / "portal/.portal/directories").stat().st_ino
    assert storage_init(client, root, words) == (0, "storage-init: 2 directories are ready\n")
    assert (root / "portal/.portal/directories").stat().st_ino == before


def owners(folder: Path) -> dict[str, tuple[int, int]]:
    """Owner and group of all below a folder, links themselves."""
    stats = {path.relative_to(folder).as_posix(): path.lstat() for path in folder.rglob("*")}
    return {name: (at.st_uid, at.st_gid) for name, at in stats.items()}


def old_tree(folder: Path, *, files: int = 3, user: int = 1999) -> None:
    """A directory of an older portal: files, a folder, links that lead out of it, and what an administrator left."""
    (folder / "deep/er").mkdir(parents=True)
    for number in range(files):
        (folder / f"deep/er/{number}").touch()
    (folder / "out").symlink_to(folder.parent.parent / "outside")
    (folder / "away").symlink_to("/etc")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)
    (folder / "an-admins").write_text("kept")
    os.chown(folder / "an-admins", 4711, user)
    (folder / "roots").write_text("kept")


def test_storage_init_hands_a_tree_over_once_and_follows_no_link(
    client: docker.APIClient, root: Path
) -> None:
    folder = root / "portal/mysql"
    old_tree(folder)
    (root / "outside").write_text("not of this portal")
    code, output = storage_init(client, root, ("mysql:60999:60999:0750",))
    assert code == 0, output
    assert output.splitlines() == [
        "storage-init: mysql belonged to 1999:1999; changing its owner to 60999:60999, with its files (many files take a while)",
        "storage-init: mysql belongs to 60999:60999",
        "storage-init: 1 directories are ready",
    ]
    owned_by = owners(folder)
    assert owned_by.pop("an-admins") == (4711, 60999)
    assert owned_by.pop("roots") == (0, 0)
    assert set(owned_by) == {"deep", "deep/er", "deep/er/0", "deep/er/1", "deep/er/2", "out", "away"}
    assert set(owned_by.values()) == {(60999, 60999)}
    assert (folder.stat().st_uid, folder.stat().st_gid) == (60999, 60999)
    assert (root / "outside").stat().st_uid == 0
    # Never again: not even a file that came from elsewhere since, among what may be millions.
    os.chown(folder / "deep/er/0", 1999, 1999)
    assert storage_init(client, root, ("mysql:60999:60999:0750",)) == (
        0,
        "storage-init: 1 directories are ready\n",
    )
    assert owners(folder)["deep/er/0"] == (1999, 1999)


@pytest.mark.parametrize("name", [".portal", "mysql"])
def test_storage_init_refuses_a_link_before_anything_is_changed(
    client: docker.APIClient, root: Path, name: str
) -> None:
    words = ("media:61000:61000:0755", "mysql:60999:60999:0750")
    (root / "moved").mkdir()
    (root / "portal" / name).symlink_to("../moved")
    code, output = storage_init(client, root, words)
    assert code == 1, output
    assert f"/{name} is a symbolic link to ../moved; nothing was changed" in output
    assert [path.name for path in (root / "portal").iterdir()] == [name]
    assert list((root / "moved").iterdir()) == []


def test_storage_init_goes_on_with_a_tree_that_was_half_handed_over(
    client: docker.APIClient, root: Path
) -> None:
    folder = root / "portal/media"
    old_tree(folder, files=20_000, user=1000)
    box = ImageContainer(
        client=client,
        name="c-storage-init",
        role="ops",
        user="0",
        command=("storage-init", "--min-free-mb", "64", "media:61000:61000:0755"),
        binds=(f"{root}/.portals-drive:/sentinel:ro", f"{root}/portal:/portal"),
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        network="none",
    ).create()
    box.start()
    until("a part to be handed over", lambda: _is_handed_over(folder), limit=30)
    box.kill()
    half = list(owners(folder).values())
    assert half.count((1000, 1000)) + half.count((1000, 61000)) > 0, "killed too late"
    assert folder.stat().st_uid == 1000
    code, output = storage_init(client, root, ("media:61000:61000:0755",))
    assert code == 0, output
    assert "storage-init: media belongs to 61000:61000" in output
    owned_by = owners(folder)
    assert (owned_by.pop("an-admins"), owned_by.pop("roots")) == ((4711, 61000), (0, 0))
    assert set(owned_by.values()) == {(61000, 61000)}
    assert folder.stat().st_uid == 61000


def _is_handed_over(folder: Path) -> bool:
    """Whether any file belongs to the new owner's group by now."""
    with os.scandir(folder / "deep/er") as entries:
        return any(each.stat(follow_symlinks=False).st_gid == 61000 for each in entries)


def test_storage_init_where_root_is_squashed(client: docker.APIClient, root: Path) -> None:
    """As on a file server that takes root for nobody: what root makes is nobody's, and can be given to no one."""

    def squashed(*words: str) -> tuple[int, list[str]]:
        box = ImageContainer(
            client=client,
            name="c-storage-init",
            role="ops",
            user="65534:65534",
            command=("storage-init", "--min-free-mb", "64", *words),
            binds=(f"{root}/.portals-drive:/sentinel:ro", f"{root}/portal:/portal"),
            network="none",
        ).create()
        code = box.start().wait_end()
        lines = box.logs().splitlines()
        box.remove()
        return code, lines

    portal = root / "portal"
    os.chown(portal, 65534, 65534)
    old_tree(portal / "mongo", user=1998)
    code, output = squashed("mongo:60998:60998:0750", "redis:60997:60997:0750")
    assert code == 1
    here = "the portal's directory"
    assert output == [
        "storage-init: the drive maps root to user 65534 (root_squash), so directories cannot get their owners; none"
        " was changed.",
        "storage-init: Export the drive to its hosts with no_root_squash, or run on the file server, by its own path of"
        f" {here}:",
        f"storage-init:     mkdir -p {here}/mongo && chown -R 60998:60998 {here}/mongo && chmod 0750 {here}/mongo",
        f"storage-init:     mkdir -p {here}/redis && chown -R 60997:60997 {here}/redis && chmod 0750 {here}/redis",
    ]
    assert not (portal / "redis").exists()
    # The remedy that it names.
    for name, uid in (("mongo", 60998), ("redis", 60997)):
        (portal / name).mkdir(exist_ok=True)
        os.chown(portal / name, uid, uid)
    portal.chmod(0o755)
    assert squashed("mongo:60998:60998:0750", "redis:60997:60997:0750") == (
        0,
        ["storage-init: 2 directories are ready"],
    )
    # The engine's root is nobody there, too, and must get through to what it mounts.
    assert portal.stat().st_mode & 0o777 == 0o711


@pytest.mark.parametrize(
    ("before", "after"), [(0o755, 0o700), (0o777, 0o700), (0o711, 0o710), (0o750, 0o750), (0o700, 0o700)]
)
def test_storage_init_closes_the_portals_directory(
    client: docker.APIClient, root: Path, before: int, after: int
) -> None:
    (root / "portal").chmod(before)
    assert storage_init(client, root, ("mysql:60999:60999:0750",))[0] == 0
    assert (root / "portal").stat().st_mode & 0o777 == after


@pytest.mark.parametrize(
    ("content", "reason"), [("", ""), ("portals-drive2\n", "portals-drive2"), ("\n", "")]
)
def test_storage_init_writes_nothing_without_the_mark(
    client: docker.APIClient, root: Path, content: str, reason: str
) -> None:
    (root / ".portals-drive").write_text(content)
    code, output = storage_init(client, root)
    assert code == 1
    assert output.splitlines() == [
        "storage-init: the drive is not mounted: .portals-drive on its root does not read 'portals-drive' but"
        f" '{reason}'; nothing was written.",
        "storage-init: Mount the drive at the storage root. If this is a new drive, mark it:"
        " ./portal drive init <storage root>",
    ]
    assert list((root / "portal").iterdir()) == []


def test_storage_init_refuses_a_mark_that_was_made_on_another_file_system(
    client: docker.APIClient, root: Path
) -> None:
    """A copy of a drive's mark on the host's own disk; and the drive's own, as `./portal drive init` writes it."""
    (root / ".portals-drive").write_text("portals-drive\nid abc\non nfs4 /\n")
    code, output = storage_init(client, root)
    assert code == 1
    assert "the drive's sentinel was made on 'nfs4 /' (file system and path in it) and is on '" in output
    assert "./portal drive init --moved" in output
    assert list((root / "portal").iterdir()) == []
    marking.init(client, str(root), lambda text: None, moved=True)
    made = marking.read_sentinel(client, str(root))
    assert made is not None
    assert made.id == "abc"
    code, output = storage_init(client, root)
    assert code == 0, output


def test_without_the_mark_the_job_cannot_even_be_created(client: docker.APIClient, root: Path) -> None:
    (root / ".portals-drive").unlink()
    mount = docker.types.Mount("/sentinel", f"{root}/.portals-drive", type="bind", read_only=True)
    box = ImageContainer(client=client, name="c-storage-init", role="ops", mounts=(mount,), network="none")
    with pytest.raises(docker.errors.APIError, match="bind source path does not exist"):
        box.create()


def test_storage_init_refuses_a_full_drive(client: docker.APIClient, root: Path) -> None:
    small = docker.types.Mount("/portal", None, type="tmpfs", tmpfs_size=2 * 1024 * 1024)
    code, output = storage_init(client, root, free=64, mounts=(small,))
    assert code == 1
    assert output.splitlines() == [
        "storage-init: the drive has 2 MiB free, and a portal needs 64 MiB to start; nothing was changed.",
        "storage-init: Free some space on the drive or enlarge it, then try again.",
    ]


def test_storage_init_refuses_when_a_directory_has_gone(client: docker.APIClient, root: Path) -> None:
    words = ("mongo:60998:60998:0750", "mysql:60999:60999:0750")
    assert storage_init(client, root, words)[0] == 0
    (root / "portal/mysql").rmdir()
    code, output = storage_init(client, root, words)
    assert code == 1
    assert output.splitlines() == [
        "storage-init: missing on the drive, with their data: mysql; nothing was made in their place.",
        "storage-init: Restore them in the portal's directory from a backup, or, to begin empty, remove their lines"
        " from the portal's directory/.portal/directories",
    ]
    assert not (root / "portal/mysql").exists()
    # The remedy that it names.
    path = root / "portal/.portal/directories"
    path.write_text(path.read_text().replace("mysql\n", ""))
    assert storage_init(client, root, words)[0] == 0


def test_storage_init_hands_the_data_from_release_to_release(client: docker.APIClient, root: Path) -> None:
    def to(release: str, after: str) -> tuple[int, str]:
        return storage_init(client, root, ("--release", release, "--after", after, "mysql:60999:60999:0750"))

    release_file = root / "portal/.portal/release"
    assert to("juniper/packages", "juniper/packages")[0] == 0
    assert release_file.read_text() == "juniper/packages\n"
    code, output = to("redwood/packages", "juniper/packages,redwood/packages")
    assert (code, output.splitlines()) == (
        0,
        [
            "storage-init: the data belongs to redwood/packages from now on",
            "storage-init: 1 directories are ready",
        ],
    )
    inode = release_file.stat().st_ino
    assert "belongs" not in to("redwood/packages", "juniper/packages,redwood/packages")[1]
    assert release_file.stat().st_ino == inode
    for release, after in (
        ("juniper/packages", "juniper/packages"),
        ("redwood/hub", "redwood/hub"),
        ("redwood/hub", "redwood/packages-old"),
    ):
        code, output = to(release, after)
        assert (code, output.splitlines()) == (
            1,
            [
                "storage-init: the data in the portal's directory belongs to redwood/packages, and "
                f"{release} may take it over from: {after}; nothing was changed.",
                "storage-init: Set the tenant's release and images to what the data belongs to. Only if that file is "
                "wrong, correct the portal's directory/.portal/release",
            ],
        )
    assert release_file.read_text() == "redwood/packages\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("--release", "Redwood!", "mysql:60999:60999:0750"),
            "--release: 'Redwood!' should read NAME/SOURCE, for example redwood/packages",
        ),
        (
            ("mysql:60999:60999",),
            "'mysql:60999:60999' should read NAME:UID:GID:MODE, for example mysql:60999:60999:0750",
        ),
        (
            ("../etc:0:0:0777",),
            "'../etc:0:0:0777' should read NAME:UID:GID:MODE, for example mysql:60999:60999:0750",
        ),
        ((), "no directory is named"),
    ],
)
def test_storage_init_called_wrongly(
    client: docker.APIClient, root: Path, words: tuple[str, ...], reason: str
) -> None:
    code, output = storage_init(client, root, words)
    assert (code, output.splitlines()[0]) == (64, f"storage-init: {reason}")


def test_ops_knows_its_jobs(client: docker.APIClient) -> None:
    box = (
        ImageContainer(client=client, name="c-ops", role="ops", command=("rm-rf",), network="none")
        .create()
        .start()
    )
    assert box.wait_end() == 64
    assert box.logs() == "ops: 'rm-rf' is not a job; known are: storage-init, project-quota\n"
    box.remove()


# A file system with projects is played, everything else is the container's own; then what is forbidden is tried.
WALK = """
import ctypes, importlib.util, os, sys
spec = importlib.util.spec_from_file_location("project_quota", "/usr/local/bin/project_quota.py")
tool = sys.modules["project_quota"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
has = {}
def ioctl(descriptor, request, data):
    number = os.fstat(descriptor).st_ino
    if request == tool.FS_IOC_FSSETXATTR:
        has[number] = data
    return has.get(number, bytes(28))
def quotactl(descriptor, command, project, data):
    return bytes(tool.DQBLK.size)
tool.fcntl.ioctl, tool.quotactl, tool.PROGRESS_SECONDS = ioctl, quotactl, 0.01
tool.main(["hold", "--tenant", "acme", "--limit-mib", "10", "--limit-files", "99", "--seconds", "60", "/portal"])
tool.main(["lift", "--tenant", "acme", "/portal"])
tool.await_release(os.open("/portal/media", os.O_RDONLY), "one")
libc = ctypes.CDLL(None, use_errno=True)
for name, words in (("mount", (b"none", b"/portal", b"tmpfs", 0, None)), ("umount2", (b"/portal", 2)), ("unshare", (0x20000,)),
                    ("sethostname", (b"x", 1)), ("ioctl", (1, 0xC0045877, None)), ("chmod", (b"/portal", 0))):
    ended = getattr(libc, name)(*words)
    print(name, ended, ctypes.get_errno(), flush=True)
"""


def test_the_helper_that_sets_limits_under_its_own_list_of_system_calls(
    client: docker.APIClient, tmp_path: Path
) -> None:
    """As `up` starts it. This machine's file system may have no projects: then the answer says so, and the walk is played."""
    open_to_all(tmp_path)
    (tmp_path / ".portal").mkdir()
    (tmp_path / "media/a").mkdir(parents=True)
    for name in ("media/one", "media/a/two"):
        (tmp_path / name).write_text("x")
    words = ["hold", "--tenant", "acme", "--limit-mib", "4096", "--limit-files", "99", "/portal"]
    last_line = quota.run_project_quota(client, "acme", str(tmp_path), words, print)
    assert last_line.startswith(("cannot the file system", "held ")), last_line
    config = quota.helper_config(client, str(tmp_path))
    how = {"entrypoint": ["python3", "-I", "-S", "-c", WALK], "user": "0:0", "host_config": config}
    lines: list[str] = []
    last, code = quota.run_helper(client, "acme", how, lines.append, None)
    rest = [each for each in (*lines, last) if not each.startswith("project: ")]
    assert rest[0].startswith("held ")
    assert rest[1:] == [
        "lifted",
        *(
            f"{name} -1 {errno.EPERM}"
            for name in ("mount", "umount2", "unshare", "sethostname", "ioctl", "chmod")
        ),
    ], "\n".join(rest)
    assert code == 0


@pytest.fixture
def workshop(client: docker.APIClient, tmp_path: Path) -> Iterator[Path]:
    """A folder of images: the real base, and one more."""
    shutil.copytree(ROOT / "images/base", tmp_path / "base")
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial/image.yml").write_text("parent: base\n")
    yield tmp_path
    for each in client.images(name="portals/trial"):
        for tag in each["RepoTags"] or []:
            client.remove_image(tag, force=True)


def dangling(client: docker.APIClient, mark: str) -> list[str]:
    """Images without a name that were made by a step with this mark."""
    dangling_ids = [each["Id"] for each in client.images(filters={"dangling": True})]
    return [each for each in dangling_ids if mark in str(client.history(each))]


def test_a_build_goes_by_the_reference_and_leaves_no_stage(client: docker.APIClient, workshop: Path) -> None:
    mark = f"{random.random()}"
    (workshop / "trial/Dockerfile").write_text(
        f"ARG BASE\nFROM ${{BASE}} AS first\nRUN echo {mark} > /mark\nFROM ${{BASE}}\nCOPY --from=first /mark /\n"
    )
    events: list[Event] = []
    made = build(["trial"], folder=workshop, on_event=events.append)
    assert [event.state for event in events if not event.line] == [State.BUILDING, State.BUILT]
    assert {event.role for event in events} == {"trial"}
    until("the first stage to be gone", lambda: not dangling(client, mark), limit=5)
    assert client.inspect_image(made["trial"])["RepoTags"] == [made["trial"]]
    events.clear()
    assert build(["trial"], folder=workshop, on_event=events.append) == made
    assert [event.state for event in events] == [State.PRESENT]


def test_a_failed_build_ends_with_its_last_lines(workshop: Path) -> None:
    (workshop / "trial/Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN echo the reason >&2; exit 9\n")
    with pytest.raises(BuildError) as caught:
        build(["trial"], folder=workshop)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("trial: the build failed: ")
    assert first.endswith("returned a non-zero code: 9")
    assert "  the reason" in rest


def test_an_engine_that_does_not_answer_is_named() -> None:
    with pytest.raises(BuildError, match=r"no Docker engine answers at unix:///nonsuch\.sock"):
        build(["ops"], docker_host="unix:///nonsuch.sock")
