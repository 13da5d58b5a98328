"""The stand-in for edx-platform with real data stores. The containers are made directly on the engine, without Pulumi."""

import contextlib
import http.client
import http.cookiejar
import io
import json
import re
import secrets
import socket
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool, Ulimit

from testbed import container_exec, waiting

NETWORK = "standin-test"
SUBNET = "10.99.4.0/24"
LIMIT_SECONDS = 120
PORTS = {"lms": 8000, "cms": 8010}
WORKERS = ("lms-workers", "cms-workers")
ROLES = ("mysql", "mongo", "redis", "memcached", "rabbitmq", "elasticsearch")
# With characters that have a meaning in a shell, a URL or SQL.
SECRETS = {
    "mysql-root-password": 'root\'s $1 "pass"',
    "mysql-edxapp-password": "a'b$c\"d e%f&g",
    "rabbitmq-password": "r@b/b:i#t?%20",
    "redis-password": "re@d/i:s#?%41",
    "mongo-password": "m0ng@/:%41' \"$&",
    "search-password": "se:rch/@%41' \"$&",
    "edxapp-secret-key": "k3y-0123456789-abcdefghijklmnopqrstuvwxyz-$&",
    "admin-password": "First-Of-All-7719",
    "forum-api-key": "f0rum/k3y+%20&",
    "cms-sso-secret": "s$o s3cret'\"%41",
}
# Takes every mail and says it, a line of JSON each; but of refused-… it takes none, and of busy-… not the first.
SINK = """
import asyncore, json, smtpd
busy = set()
class Channel(smtpd.SMTPChannel):
    def smtp_RCPT(self, told):
        if "<refused-" in told:
            print(json.dumps({"refused": told.split("<")[1].split(">")[0]}), flush=True)
            self.push("550 not here")
        elif "<busy-" in told and told not in busy:
            busy.add(told)
            self.push("451 later")
        else:
            super().smtp_RCPT(told)
class Sink(smtpd.SMTPServer):
    channel_class = Channel
    def process_message(self, peer, mailfrom, rcpttos, data, **more):
        print(json.dumps({"from": mailfrom, "to": rcpttos, "text": data.decode()}), flush=True)
Sink(("0.0.0.0", 8025), None)
asyncore.loop()
"""


@dataclass(frozen=True, kw_only=True)
class Store:
    """How a data store's container is made: `user` owns its volume, memory in MiB."""

    user: int
    memory: int
    port: int
    secrets: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


STORES = {
    "mysql": Store(
        user=60999,
        memory=512,
        port=3306,
        secrets=("mysql-root-password", "mysql-edxapp-password"),
        tmpfs={"/run/mysqld": "uid=60999,gid=60999,mode=0755"},
        files={"/portal/config/databases": "edxapp edxapp mysql-edxapp-password\n"},
    ),
    "mongo": Store(user=60998, memory=384, port=27017, secrets=("mongo-password",)),
    "redis": Store(user=60997, memory=128, port=6379, secrets=("redis-password",)),
    "memcached": Store(user=60994, memory=96, port=11211),
    "rabbitmq": Store(
        user=60996,
        memory=384,
        port=5672,
        secrets=("rabbitmq-password",),
        env={"RABBITMQ_USER": "edxapp", "RABBITMQ_VHOST": "openedx"},
    ),
    "elasticsearch": Store(user=60995, memory=768, port=9200, secrets=("search-password",)),
    "forum": Store(
        user=61001, memory=192, port=4567, secrets=("forum-api-key", "mongo-password", "search-password")
    ),
}


def passwords(secrets: Mapping[str, str] = SECRETS) -> dict[str, Any]:
    """The second settings file of either variant, `<variant>.auth.json`."""
    return {
        "SECRET_KEY": secrets["edxapp-secret-key"],
        "DATABASES": {"default": {"PASSWORD": secrets["mysql-edxapp-password"]}},
        "DOC_STORE_CONFIG": {"password": secrets["mongo-password"]},
        "CONTENTSTORE": {"password": secrets["mongo-password"]},
        "ELASTIC_SEARCH_CONFIG": [
            {"host": "elasticsearch", "port": 9200, "http_auth": ["elastic", secrets["search-password"]]}
        ],
        "CELERY_BROKER_PASSWORD": secrets["rabbitmq-password"],
        "CELERY_RESULT_REDIS": {"password": secrets["redis-password"]},
        "COMMENTS_SERVICE_KEY": secrets["forum-api-key"],
        "SOCIAL_AUTH_EDX_OAUTH2_SECRET": secrets["cms-sso-secret"],
    }


def settings(variant: str) -> dict[str, Any]:
    """A settings file as the program writes it, without passwords."""
    mongo = {"host": "mongo", "port": 27017, "db": "openedx", "user": "openedx"}
    return {
        "PLATFORM_NAME": "Bench & Sons' <Academy>",
        "SITE_NAME": f"{variant}.bench.test",
        "LMS_BASE": "lms.bench.test:8480",
        "CMS_BASE": "cms.bench.test:8480",
        "LMS_ROOT_URL": "http://lms.bench.test:8480",
        "CMS_ROOT_URL": "http://cms.bench.test:8480",
        "CONTACT_EMAIL": "help@bench.test",
        "LANGUAGE_CODE": "en",
        "TIME_ZONE": "UTC",
        "ALLOWED_HOSTS": [f"{variant}.bench.test", variant],
        "HTTPS": "off",
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.mysql",
                "NAME": "edxapp",
                "USER": "edxapp",
                "HOST": "mysql",
                "PORT": 3306,
                "CONN_MAX_AGE": 60,
            }
        },
        "DOC_STORE_CONFIG": mongo,
        "CONTENTSTORE": mongo,
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
                "LOCATION": ["memcached:11211"],
                "KEY_PREFIX": "bench",
            }
        },
        "CELERY_BROKER_TRANSPORT": "amqp",
        "CELERY_BROKER_HOSTNAME": "rabbitmq:5672",
        "CELERY_BROKER_USER": "edxapp",
        "CELERY_BROKER_VHOST": "openedx",
        "CELERY_RESULT_REDIS": {"host": "redis", "port": 6379, "db": 0},
        "ALTERNATE_WORKER_QUEUES": "cms" if variant == "lms" else "lms",
        "MEDIA_ROOT": "/openedx/media",
        "MEDIA_URL": "/media/",
        "STATIC_ROOT": "/openedx/static",
        "STATIC_URL": "/static/",
        "LOG_DIR": "",
        "ADMIN": {"username": "admin", "email": "admin@bench.test"},
        "EMAIL_HOST": "mailer",
        "EMAIL_PORT": 8025,
        "DEFAULT_FROM_EMAIL": "portal@bench.test",
        "COMMENTS_SERVICE_URL": "http://forum:4567",
        "SOCIAL_AUTH_EDX_OAUTH2_KEY": "cms-sso",
        "SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT": "http://lms:8000",
        "SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT": "http://lms.bench.test:8480",
        "BRAND_COLORS": {"primary": "#ffcc00"},
        "HEADER_NAVIGATION_LINKS": [{"title": "Library & <more>", "url": "https://library.bench.test/"}],
        "FOOTER_NAVIGATION_LINKS": [{"title": "Imprint", "url": "/imprint"}, {"title": "x", "url": "data:x"}],
    }


def until(what: str, true: Callable[[], Any], limit: float = LIMIT_SECONDS) -> Any:
    """The first true answer of `true`, as in `waiting.until`."""
    return waiting.until(what, true, limit=limit)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer, and the URL that it came from after all redirects."""

    status: int
    headers: Mapping[str, str]
    text: str
    seconds: float
    url: str


class Browser:
    """Speaks to lms and cms as a browser behind the load balancer does: cookies, redirects, forms with their token.

    It begins at `verb`, by `host` or the service's own name. A name that is neither lms's nor cms's leads to `verb`.
    """

    def __init__(self, bench: "Bench", verb: str, host: str | None = None) -> None:
        self.bench, self.verb = bench, verb
        self.host = f"{verb}.bench.test:8480" if host is None else host
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), urllib.request.ProxyHandler({}), self._handler()
        )

    def _handler(self) -> urllib.request.HTTPHandler:
        """Resolves host names to the containers, as the load balancer's routes do."""
        browser = self

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                verb = self.host.removesuffix(".bench.test")
                verb = verb if verb in PORTS else browser.verb
                self.sock = socket.create_connection((browser.bench.address(verb), PORTS[verb]), timeout=30)

        class Handler(urllib.request.HTTPHandler):
            def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
                # As the load balancer says it; after a redirect it is the other service's name.
                request.add_unredirected_header("X-Forwarded-Host", request.host)
                return self.do_open(Connection, request)

        return Handler()

    def get(self, path: str, **headers: str) -> Answer:
        """Follows redirects."""
        return self._send(path, None, headers)

    def submit(self, page: str, action: str | None = None, **fields: str) -> Answer:
        """Loads a page and submits its form with the page's token. A form without an action goes to the page itself."""
        loaded = self.get(page)
        all_fields = {**fields, "csrfmiddlewaretoken": self._token(loaded)}
        return self._send(action or loaded.url, urllib.parse.urlencode(all_fields).encode(), {})

    def upload(self, page: str, name: str, content: bytes, **fields: str) -> Answer:
        """As `submit`, with a file of a name in the field `image`."""
        all_fields = {**fields, "csrfmiddlewaretoken": self._token(self.get(page))}
        border = secrets.token_hex(16)
        parts = [f'name="{key}"\r\n\r\n{value}'.encode() for key, value in all_fields.items()]
        parts.append(f'name="image"; filename="{name}"\r\n\r\n'.encode() + content)
        body = b"".join(
            b"--" + border.encode() + b"\r\nContent-Disposition: form-data; " + part + b"\r\n"
            for part in parts
        )
        kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
        return self._send(page, body + f"--{border}--\r\n".encode(), kind)

    def _token(self, loaded: Answer) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', loaded.text)
        assert token, f"{loaded.url} has no form: {loaded.status} {loaded.text[:300]}"
        return token[1]

    def _send(self, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        url = path if path.startswith("http://") else f"http://{self.host}{path}"
        request = urllib.request.Request(url, data=data, headers={"X-Forwarded-Proto": "http", **headers})
        began = time.monotonic()
        try:
            with self._opener.open(request, timeout=30) as reply:
                status, reply_headers, text = reply.status, dict(reply.headers), reply.read().decode()
                last = reply.url
        except urllib.error.HTTPError as error:
            with error:
                status, reply_headers, text = error.code, dict(error.headers), error.read().decode()
                last = error.url
        seconds = time.monotonic() - began
        return Answer(status=status, headers=reply_headers, text=text, seconds=seconds, url=last)


class Bench:
    """A network with the six data stores and the roles of the stand-in that a test starts."""

    def __init__(self, client: docker.DockerClient, images: Mapping[str, str]) -> None:
        self.client, self.images = client, images
        self.secrets = dict(SECRETS)

    def __enter__(self) -> "Bench":
        self.clear()
        try:
            self._stores()
        except BaseException:
            self.clear()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def _stores(self) -> None:
        pool = IPAMConfig(pool_configs=[IPAMPool(subnet=SUBNET)])
        self.client.networks.create(NETWORK, driver="bridge", internal=True, ipam=pool)
        for role in ROLES:
            self.start_store(role)
        self.start_sink()
        for role in ROLES:
            until(f"{role} to be ready", partial(self.is_ready, role))

    def clear(self) -> None:
        """Removes what this bench has made, in this run or in one that was killed."""
        for container in self.client.containers.list(all=True, filters={"label": NETWORK}):
            with contextlib.suppress(NotFound):
                container.remove(force=True, v=True)
        for volume in self.client.volumes.list(filters={"label": NETWORK}):
            volume.remove(force=True)
        for network in self.client.networks.list(names=[NETWORK]):
            network.remove()

    def container(self, name: str) -> Container:
        """The container of a role."""
        return self.client.containers.get(f"{NETWORK}-{name}")

    def address(self, name: str) -> str:
        """Its address on the bench's network."""
        address = self.container(name).attrs["NetworkSettings"]["Networks"][NETWORK]["IPAddress"]
        return str(address)

    def logs(self, name: str) -> str:
        """The container's log."""
        return str(self.container(name).logs().decode(errors="replace"))

    def probe(self, name: str) -> int:
        """Exit code of the probe."""
        workers = next((each for each in WORKERS if name.startswith(each)), None)
        words = ["/usr/local/bin/probe", *([workers or name] if workers or name in PORTS else [])]
        return self.exec_in(name, *words)[0]

    def exec_in(self, name: str, *words: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Runs a command in a role's container; returns its exit code and its output."""
        return container_exec.run(self.client.api, f"{NETWORK}-{name}", *words, env=env)

    def probe_says_ready(self, name: str) -> bool:
        """Whether its probe says ready."""
        return self.probe(name) == 0

    def is_ready(self, name: str) -> bool:
        """Whether the container runs and its probe says ready. Fails the test, with the end of the log, if it has ended."""
        container = self.container(name)
        assert container.status != "exited", f"{name} ended: {self.logs(name)[-2000:]}"
        try:
            return self.probe(name) == 0
        except APIError:
            return False

    def pause(self, name: str) -> None:
        """Pauses the container. On a busy machine the engine may need more than one try to stop all of its threads."""

        def frozen() -> bool:
            try:
                self.container(name).pause()
            except APIError as error:
                if "unable to freeze" not in str(error):
                    raise
                return False
            return True

        until(f"{name} to be frozen", frozen, 30)

    def start_store(self, role: str) -> None:
        """A data store with an empty volume."""
        store = STORES[role]
        volume = f"{NETWORK}-{role}"
        self.client.volumes.create(volume, labels={NETWORK: ""})
        self._give(volume, store.user)
        self._create(
            role,
            self.images[role],
            [],
            user=store.user,
            memory=store.memory,
            env=store.env,
            tmpfs=store.tmpfs,
            volumes={volume: {"bind": "/data", "mode": "rw"}},
            files={**store.files, **self._secrets(*store.secrets)},
        ).start()

    def start_sink(self) -> None:
        """An SMTP server that takes the place of the mailer and keeps every mail."""
        self.start_program("mailer", SINK)

    def start_program(self, name: str, program: str) -> None:
        """A few lines of Python under a name of the bench's network, in place of a service."""
        words = ["python3", "-W", "ignore", "-c", program]
        self._create(
            name,
            self.images["openedx-standin"],
            [],
            entrypoint=words,
            user=61000,
            memory=64,
            env={},
            tmpfs={},
            volumes={},
            files={},
        ).start()

    def mails(self, address: str) -> list[str]:
        """Every mail to an address so far, the oldest first."""
        mails = (json.loads(line) for line in self.logs("mailer").splitlines())
        return [str(each["text"]) for each in mails if address in each.get("to", ())]

    def mailed_link(self, address: str, since: int = 0) -> str:
        """The only link in a mail: in the first mail after `since` others."""
        mails = until(f"a mail to {address}", lambda: self.mails(address)[since:], 30)
        [link] = re.findall(r"http://lms\.bench\.test:8480\S+", mails[0])
        return str(link)

    def start(self, verb: str, name: str = "", **options: Any) -> Container:
        """Starts a role of the stand-in without waiting for it. The container's name is that of the verb unless given."""
        memory = 512 if verb in PORTS else 384
        container = self._openedx(name or verb, [verb], memory, **options)
        container.start()
        return container

    def start_ready(self, *verbs: str) -> None:
        """Starts roles of the stand-in and waits until they are ready."""
        for verb in verbs:
            self.start(verb)
        for verb in verbs:
            until(f"{verb} to be ready", partial(self.is_ready, verb))

    def run_job(self, *verbs: str, **options: Any) -> tuple[int, str]:
        """Runs verbs that end; returns exit code and log."""
        container = self._openedx("job", list(verbs), 512, **options)
        container.start()
        code = int(container.wait(timeout=LIMIT_SECONDS)["StatusCode"])
        log = container.logs().decode()
        container.remove(v=True)
        return code, log

    def start_job(self, *verbs: str) -> Container:
        """Starts verbs that end, without waiting for them."""
        container = self._openedx("job", list(verbs), 512)
        container.start()
        return container

    def sql(self, statement: str, database: str = "edxapp") -> list[str]:
        """The rows of a statement run by root, tab-separated."""
        words = ["mariadb", "--socket=/run/mysqld/mysqld.sock", "-uroot", "-N", database, "-e", statement]
        code, output = self.exec_in("mysql", *words, env={"MYSQL_PWD": self.secrets["mysql-root-password"]})
        assert code == 0, output
        return output.splitlines()

    def working_set(self, name: str) -> float:
        """The container's memory in MiB, without the file pages that the kernel can drop at once."""
        stats = self.container(name).stats(stream=False)["memory_stats"]
        inactive = stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file", 0))
        return float(stats["usage"] - inactive) / 2**20

    def _secrets(self, *names: str) -> dict[str, str]:
        return {f"/run/secrets/{name}": self.secrets[name] for name in names}

    def _openedx(
        self,
        name: str,
        verbs: list[str],
        memory: int,
        *,
        files: Mapping[str, str | None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Container:
        """`files` are added to the usual ones; a text of None leaves a usual one out."""
        all_files: dict[str, str | None] = {
            **{
                f"/openedx/config/{each}.{kind}.json": json.dumps(content, indent=2)
                for each in ("lms", "cms")
                for kind, content in (("env", settings(each)), ("auth", passwords(self.secrets)))
            },
            **self._secrets("admin-password"),
            **(files or {}),
        }
        for volume in ("static", "media"):
            self.client.volumes.create(f"{NETWORK}-{volume}", labels={NETWORK: ""})
            self._give(f"{NETWORK}-{volume}", 61000)
        return self._create(
            name,
            self.images["openedx-standin"],
            verbs,
            entrypoint=["python3", "-m", "standin.entry"],
            user=61000,
            memory=memory,
            env=env or {},
            tmpfs={},
            volumes={
                f"{NETWORK}-{volume}": {"bind": f"/openedx/{volume}", "mode": "rw"}
                for volume in ("static", "media")
            },
            files={path: text for path, text in all_files.items() if text is not None},
        )

    def _give(self, volume: str, user: int) -> None:
        """Gives a volume's directory to its owner, as storage-init does for a portal."""
        self.client.containers.run(
            self.images["openedx-standin"],
            [f"{user}:{user}", "/data"],
            entrypoint="chown",
            user="0",
            network_mode="none",
            volumes={volume: {"bind": "/data", "mode": "rw"}},
            labels={NETWORK: ""},
            remove=True,
        )

    def _create(
        self,
        name: str,
        image: str,
        command: list[str],
        *,
        entrypoint: list[str] | None = None,
        user: int,
        memory: int,
        env: Mapping[str, str],
        tmpfs: Mapping[str, str],
        volumes: Mapping[str, Mapping[str, str]],
        files: Mapping[str, str],
    ) -> Container:
        """Creates a container under a portal's house rules and copies its files into it."""
        with contextlib.suppress(NotFound):
            self.container(name).remove(force=True, v=True)
        made = self.client.containers.create(
            image,
            command or None,
            entrypoint=entrypoint,
            name=f"{NETWORK}-{name}",
            hostname=name,
            user=str(user),
            environment={"PORTAL_MEMORY_MB": str(memory), **env},
            network=NETWORK,
            networking_config={NETWORK: self.client.api.create_endpoint_config(aliases=[name])},
            tmpfs={"/tmp": "mode=1777,size=64m", **tmpfs},
            volumes=dict(volumes),
            mem_limit=f"{memory}m",
            memswap_limit=f"{memory}m",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            ulimits=[Ulimit(name="nofile", soft=8192, hard=8192)],
            labels={NETWORK: ""},
        )
        made.put_archive("/", archive(files))
        return made


def archive(files: Mapping[str, str]) -> bytes:
    """A tar archive of texts that everybody can read and nobody can write."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path, text in sorted(files.items()):
            info = tarfile.TarInfo(path.lstrip("/"))
            info.size, info.mode = len(text.encode()), 0o444
            tar.addfile(info, io.BytesIO(text.encode()))
    return made.getvalue()
