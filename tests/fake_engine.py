"""A Docker engine in memory behind docker-py's client interface: its objects, the requests to it, the answers of its host."""

import io
import json as text
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from docker.errors import APIError, NotFound

Answer = dict[str, Any]


def container(
    id: str = "",
    *,
    state: str = "running",
    image: str = "",
    labels: Mapping[str, str] | None = None,
    created: float = 0.0,
    **more: Any,
) -> Answer:
    """What `inspect` says of a container, as far as anybody asks; `told` are its further keys."""
    return {
        "Id": id,
        "Created": created,
        "State": {"Status": state},
        "Config": {"Image": image, "Labels": dict(labels or {})},
        "HostConfig": {},
        **more,
    }


class FakeEngine:
    """Has containers, networks, volumes (answers of `inspect`, by name) and images (tags).

    Its host answers whatever a helper asks: with `said`, `exit_code` and, where a file is read, `mark`; paths that begin with
    `absent` are not there. `words` are the logs of single containers, in pieces; `stuck` the images that are in use.
    """

    base_url = "http+docker://localhost"
    api_version = "1.41"
    timeout = 60

    def __init__(
        self,
        *,
        containers: Mapping[str, Answer] | None = None,
        networks: Mapping[str, Answer] | None = None,
        volumes: Mapping[str, Answer] | None = None,
        images: Iterable[str] = (),
        stuck: Iterable[str] = (),
        words: Mapping[str, Sequence[bytes | Exception]] | None = None,
        output: str = "said",
        mark: str = "portals-drive\n",
        exit_code: int = 0,
        absent: str = "",
    ) -> None:
        self.there: dict[str, Answer] = {
            name: {**each, "Id": each["Id"] or name} for name, each in (containers or {}).items()
        }
        self.there_networks, self.there_volumes = dict(networks or {}), dict(volumes or {})
        self.tags, self.stuck, self.words = list(images), set(stuck), dict(words or {})
        self.output, self.mark, self.exit_code, self.absent = output, mark, exit_code, absent
        # What was asked to be changed; the arguments of each container that was made; how long each end was waited for.
        self.requests: list[str] = []
        self.created: list[Answer] = []
        self.waited: list[float] = []

    def info(self) -> Answer:
        return {"ID": "the one engine"}

    def close(self) -> None:
        """Does nothing: there is no connection."""

    # What there is.

    def containers(
        self, *, all: bool = False, quiet: bool = False, filters: Mapping[str, Any] | None = None
    ) -> list[Any]:
        rows = [
            {
                "Id": each["Id"],
                "Names": [f"/{name}"],
                "Created": each["Created"],
                "Image": each["Config"]["Image"],
                "Labels": each["Config"]["Labels"],
                "State": each["State"]["Status"],
            }
            for name, each in self.there.items()
        ]
        matching = [
            each for each in rows if (all or each["State"] == "running") and self._passes(each, filters or {})
        ]
        return [each["Id"] for each in matching] if quiet else matching

    @staticmethod
    def _passes(row: Answer, filters: Mapping[str, Any]) -> bool:
        key, _, value = filters.get("label", "").partition("=")
        return (
            (not key or (key in row["Labels"] and value in ("", row["Labels"][key])))
            and row["State"] in filters.get("status", [row["State"]])
            and row["Image"] == filters.get("ancestor", row["Image"])
        )

    def networks(self, *, filters: Mapping[str, Any]) -> list[Answer]:
        return [{"Id": name, "Name": name, **each} for name, each in self.there_networks.items()]

    def volumes(self, *, filters: Mapping[str, Any]) -> dict[str, Any]:
        # The engine says null where there is none.
        return {"Volumes": [{"Name": name, **each} for name, each in self.there_volumes.items()] or None}

    def images(self, name: str) -> list[Answer]:
        beginning = name.removesuffix("*")
        return [{"RepoTags": [each]} for each in self.tags if each.startswith(beginning)] + [
            {"RepoTags": None}
        ]

    def inspect_container(self, name: str) -> Answer:
        return self.there[self._called(name)]

    def inspect_network(self, name: str) -> Answer:
        return self._of(self.there_networks, name)

    def inspect_volume(self, name: str) -> Answer:
        return self._of(self.there_volumes, name)

    @staticmethod
    def _of(there: Mapping[str, Answer], name: str) -> Answer:
        if name not in there:
            raise NotFound(name)
        return there[name]

    def _called(self, name: str) -> str:
        """A container's name, by that or its id."""
        for each, containers in self.there.items():
            if name in (each, containers["Id"]):
                return each
        raise NotFound(name)

    # What is asked for.

    def create_host_config(self, **how: Any) -> Answer:
        return how

    def create_container(self, image: str, **how: Any) -> Answer:
        for each in how["host_config"].get("mounts", ()):
            if self.absent and each["Source"].startswith(self.absent):
                raise APIError("400", explanation=f"bind source path does not exist: {each['Source']}")
        self.created.append(how)
        name = f"made-{len(self.created)}"
        self.there[name] = container(
            name, state="created", image=image, labels=dict.fromkeys(how["labels"], "")
        )
        return {"Id": name}

    def start(self, name: str) -> None:
        self.inspect_container(name)["State"]["Status"] = "running"

    def wait(self, name: str, timeout: float) -> Answer:
        self.waited.append(timeout)
        self.inspect_container(name)["State"]["Status"] = "exited"
        return {"StatusCode": self.exit_code}

    def stop(self, name: str, timeout: int) -> None:
        self.inspect_container(name)["State"]["Status"] = "exited"
        self.requests.append(f"stop {name}")

    def remove_container(self, name: str, force: bool = False, v: bool = False) -> None:
        del self.there[self._called(name)]
        self.requests.append(f"remove {name}")

    def remove_image(self, tag: str) -> None:
        if tag in self.stuck:
            raise APIError("conflict")
        self.tags.remove(tag)

    def post(self, url: str, json: Any, timeout: float) -> SimpleNamespace:
        """docker-py has no words for this one: https://docs.docker.com/reference/api/engine/, ContainerUpdate."""
        self.requests.append(f"post {url.removeprefix(self.base_url)} {text.dumps(json)}")
        self.inspect_container(url.split("/")[-2])["HostConfig"] |= json
        return SimpleNamespace(raise_for_status=lambda: None)

    # What is read.

    def get_archive(self, name: str, path: str) -> tuple[list[bytes], Answer]:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            info = tarfile.TarInfo(path)
            info.size = len(self.mark)
            tar.addfile(info, io.BytesIO(self.mark.encode()))
        return [made.getvalue()], {}

    def logs(self, name: str, **options: Any) -> Any:
        if options.get("follow"):
            return self._followed(name)
        return f" {self.output}\n".encode() if self.output else b""

    def _followed(self, name: str) -> Iterator[bytes]:
        for each in self.words[name]:
            if isinstance(each, Exception):
                raise each
            yield each

    # For a look back.

    def mounted_host_paths(self) -> list[str]:
        """The host paths of all bind mounts, which an engine makes if they are missing."""
        return [
            each.partition(":")[0] for how in self.created for each in how["host_config"].get("binds", ())
        ]

    def helper_scripts(self) -> list[str]:
        """The scripts of all helper containers."""
        return [each for how in self.created for each in how.get("entrypoint", [])[2:]]
