"""A tenant's containers, networks and volumes, asked of the engine itself."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors

from config.images import reference
from config.portal.labels import GROUP, SERVICE, tenant_filter
from testbed import container_exec

HERE = Path(__file__).resolve().parents[1]
LIMIT_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The objects of one engine. Uses no command of this project, so that it can check them."""

    client: Any

    def containers(self, tenant: str, *, jobs: bool = True) -> dict[str, dict[str, Any]]:
        """`docker inspect` of each container by its service, stopped ones too; without `jobs` only services."""
        listed = self.client.containers(all=True, filters=tenant_filter(tenant))
        inspections = [self.client.inspect_container(each["Id"]) for each in listed]
        return {
            each["Config"]["Labels"][SERVICE]: each
            for each in inspections
            if jobs or each["Config"]["Labels"][GROUP] != "ops"
        }

    def networks(self, tenant: str) -> list[dict[str, Any]]:
        """`docker network inspect` of each."""
        listed = self.client.networks(filters=tenant_filter(tenant))
        return [self.client.inspect_network(each["Id"]) for each in listed]

    def volumes(self, tenant: str) -> list[dict[str, Any]]:
        """`docker volume inspect` of each."""
        listed: list[dict[str, Any]] = self.client.volumes(filters=tenant_filter(tenant))["Volumes"] or []
        return listed

    def ids(self, tenant: str) -> set[str]:
        """The ids of all objects of a tenant; a volume's id is its name."""
        return {
            *(each["Id"] for each in self.containers(tenant).values()),
            *(each["Id"] for each in self.networks(tenant)),
            *(each["Name"] for each in self.volumes(tenant)),
        }

    def addresses(self, tenant: str) -> dict[str, list[str]]:
        """The addresses of each running container, by service."""
        return {
            service: [each["IPAddress"] for each in inspection["NetworkSettings"]["Networks"].values()]
            for service, inspection in self.containers(tenant, jobs=False).items()
        }

    def exec_in(self, container: str, *words: str, user: str = "") -> str:
        """Run a command in a running container; returns its standard output, whatever its exit code."""
        return container_exec.run(self.client, container, *words, user=user, stderr=False)[1]

    def python_in_network_of(self, container: str, script: str, *words: str) -> Any:
        """Run a Python script in the network of a container; returns the JSON that it prints."""
        return json.loads(
            self.run_image("python", ["python3", "-c", script, *words], network=f"container:{container}")
        )

    def python_on_networks(self, networks: Sequence[str], script: str, *words: str) -> Any:
        """Run a Python script in a container on these networks; returns the JSON that it prints."""
        return json.loads(
            self.run_image(
                "python", ["python3", "-c", script, *words], network=networks[0], more=tuple(networks[1:])
            )
        )

    def run_on_drive(self, root: Path, script: str) -> str:
        """Run a shell script as root with the drive's root at /drive; the data there belongs to many users."""
        return self.run_image("base", ["sh", "-ec", script], binds=[f"{root}:/drive"])

    def run_image(
        self,
        role: str,
        words: Sequence[str],
        *,
        network: str = "none",
        more: Sequence[str] = (),
        binds: Sequence[str] = (),
    ) -> str:
        """The output of a command in a temporary container of an image that is built here."""
        made = self.client.create_container(
            self.image(role),
            entrypoint=list(words),
            user="0:0",
            labels=["portals.e2e"],
            host_config=self.client.create_host_config(network_mode=network, binds=list(binds)),
        )
        try:
            for each in more:
                self.client.connect_container_to_network(made["Id"], each)
            self.client.start(made["Id"])
            code = self.client.wait(made["Id"], timeout=LIMIT_SECONDS)["StatusCode"]
            out = self.client.logs(made["Id"], stdout=True, stderr=False).decode(errors="replace")
            err = self.client.logs(made["Id"], stdout=False, stderr=True).decode(errors="replace")
            assert code == 0, f"{list(words)[:2]} ended with exit code {code}:\n{err}\n{out}"
            return str(out)
        finally:
            self.client.remove_container(made["Id"], force=True)

    def image(self, role: str) -> str:
        """The reference of an image built here."""
        return reference(role, HERE / "images")

    def remove(self, tenant: str) -> None:
        """Remove every object with the tenant's label, in any state."""
        for inspection in self.containers(tenant).values():
            with contextlib.suppress(docker.errors.NotFound):
                self.client.remove_container(inspection["Id"], force=True, v=True)
        for network in self.networks(tenant):
            self.client.remove_network(network["Id"])
        for volume in self.volumes(tenant):
            self.client.remove_volume(volume["Name"], force=True)
