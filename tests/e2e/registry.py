"""A registry of images on 127.0.0.1, which engines talk to without TLS: enough of API v2 to ask and to pull."""

import gzip
import hashlib
import io
import json
import tarfile
import threading
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Manner(Enum):
    """How a registry behaves."""

    GOOD = auto()
    EMPTY = auto()
    """It has no image at all."""
    LOG_IN = auto()
    """It wants a log-in that nobody has."""
    GARBAGE = auto()
    """It answers 200 with what no registry says."""
    HANG = auto()
    """It takes connections and says nothing until it is closed."""


class Registry:
    """Serves the images that were put into it; `asked` are the paths of manifests that were asked for."""

    def __init__(self, manner: Manner = Manner.GOOD) -> None:
        self.manner = manner
        self.requests: list[str] = []
        self.closing = threading.Event()
        self.blobs: dict[str, bytes] = {}
        self.packed: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                if registry.manner is Manner.HANG:
                    registry.closing.wait()
                    return
                status, kind, data = registry.find(self.path)
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="portals"')
                self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                if status == 200:
                    self.send_header("Docker-Content-Digest", digest(data))
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "Registry":
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=10)

    def put(self, name: str, tag: str, file: str) -> str:
        """An image that holds one text file, under a tag that may have meant another; its digest."""
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w") as tar:
            info = tarfile.TarInfo("said")
            info.size = len(file.encode())
            tar.addfile(info, io.BytesIO(file.encode()))
        layer = gzip.compress(inner.getvalue(), mtime=0)
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": ["/said"]},
                "rootfs": {"type": "layers", "diff_ids": [digest(inner.getvalue())]},
            }
        ).encode()
        return self._manifest(name, tag, config, [layer])

    def push(self, name: str, tag: str, saved: bytes, **config: object) -> str:
        """An image as `docker save` writes it, under a tag, with keys of its configuration changed; its digest."""
        with tarfile.open(fileobj=io.BytesIO(saved)) as tar:

            def read(path: str) -> bytes:
                file = tar.extractfile(path)
                assert file, path
                return file.read()

            (manifest,) = json.loads(read("manifest.json"))
            layers = [self._packed(read(each)) for each in manifest["Layers"]]
            made = json.loads(read(manifest["Config"]))
            made["config"] |= config
            return self._manifest(name, tag, json.dumps(made).encode(), layers)

    def _packed(self, layer: bytes) -> bytes:
        """A layer as registries serve it; packed once, as images share most of theirs."""
        known = digest(layer)
        if known not in self.packed:
            self.packed[known] = gzip.compress(layer, compresslevel=1, mtime=0)
        return self.packed[known]

    def _manifest(self, name: str, tag: str, config: bytes, layers: list[bytes]) -> str:
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self._blob("application/vnd.docker.container.image.v1+json", config),
                "layers": [
                    self._blob("application/vnd.docker.image.rootfs.diff.tar.gzip", each) for each in layers
                ],
            }
        ).encode()
        self.blobs[digest(manifest)] = manifest
        self.tags[f"{name}/{tag}"] = digest(manifest)
        return digest(manifest)

    def _blob(self, kind: str, data: bytes) -> dict[str, object]:
        self.blobs[digest(data)] = data
        return {"mediaType": kind, "size": len(data), "digest": digest(data)}

    def find(self, path: str) -> tuple[int, str, bytes]:
        """Status, type and content of a path."""
        if self.manner is Manner.LOG_IN:
            wrong = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
            return 401, "application/json", json.dumps(wrong).encode()
        if self.manner is Manner.GARBAGE:
            return 200, MANIFEST, b"<html>\x1b[2J a proxy's page for whoever is not logged in"
        if path == "/v2/":
            return 200, "application/json", b"{}"
        name, kind, which = path.removeprefix("/v2/").rsplit("/", 2)
        if kind == "manifests":
            self.requests.append(path)
        blob = self.blobs.get(self.tags.get(f"{name}/{which}", which))
        if blob is None or self.manner is Manner.EMPTY:
            wrong = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            return 404, "application/json", json.dumps(wrong).encode()
        return 200, MANIFEST if kind == "manifests" else "application/octet-stream", blob
