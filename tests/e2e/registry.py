"""A registry of images on 127.0.0.1, which engines talk to without TLS: enough of API v2 to ask and to pull."""

import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Registry:
    """Serves the images that were put into it, one layer each; `hits` counts requests by path."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                status, kind, data = registry.find(self.path)
                self.send_response(status)
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
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self._blob("application/vnd.docker.container.image.v1+json", config),
                "layers": [self._blob("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
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
        if path == "/v2/":
            return 200, "application/json", b"{}"
        name, kind, which = path.removeprefix("/v2/").rsplit("/", 2)
        found = self.blobs.get(self.tags.get(f"{name}/{which}", which))
        if found is None:
            wrong = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            return 404, "application/json", json.dumps(wrong).encode()
        return 200, MANIFEST if kind == "manifests" else "application/octet-stream", found
