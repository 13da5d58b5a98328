"""One container that stays up. With job.py, the only module that creates docker.Container."""

from dataclasses import dataclass
from pathlib import Path

import pulumi_docker as docker
from pulumi import ComponentResource, Input, Resource, ResourceOptions

from components.workload import Workload, container_inputs
from config.reading import checkout
from config.releases.public_images import START_SECONDS

HEALTH_SCRIPT = "/portal/health.sh"
# Seconds between two looks at a healthy container; see health.sh.
PAUSE_SECONDS = 28
# Beyond what its start may take; then it has failed.
READY_EXTRA_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Port:
    """One published port: where the host listens, and the container's port behind it."""

    address: str
    external: int
    internal: int


@dataclass(frozen=True, kw_only=True)
class ServiceArgs(Workload):
    """A workload, the command that tells whether it is ready, and the ports it publishes.

    In the first `start_seconds` a failed probe counts for nothing.
    """

    probe: tuple[str, ...] = ("/usr/local/bin/probe",)
    ports: tuple[Port, ...] = ()
    start_seconds: int = START_SECONDS


def health_script() -> str:
    """The text of health.sh, which every service gets as a file."""
    home = Path(__file__).parent
    return checkout.text(home / "health.sh", home.parent)


class Service(ComponentResource):
    """A container that stays up, reachable by its own name on the portal's network; ready once it is healthy."""

    ready: Input[Resource]

    def __init__(self, name: str, args: ServiceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Service", name, None, opts)
        inputs = container_inputs(name, args, files={HEALTH_SCRIPT: health_script()})
        container = docker.Container(
            name,
            **inputs,
            restart="unless-stopped",
            healthcheck=docker.ContainerHealthcheckArgs(
                tests=["CMD", HEALTH_SCRIPT, str(PAUSE_SECONDS), *args.probe],
                interval="2s",
                timeout=f"{PAUSE_SECONDS + 12}s",
                start_period=f"{args.start_seconds}s",
                retries=3,
            ),
            wait=True,
            wait_timeout=args.start_seconds + READY_EXTRA_SECONDS,
            # Ascending by the container's port: any other order is replaced after every refresh.
            ports=[
                docker.ContainerPortArgs(ip=each.address, external=each.external, internal=each.internal)
                for each in sorted(args.ports, key=lambda port: port.internal)
            ]
            or None,
            opts=ResourceOptions(
                parent=self,
                # On the container: Pulumi does not hand a component's depends_on down to its children.
                depends_on=[each.ready for each in args.after],
                # Two containers can share neither a name nor a host port, even for a moment.
                delete_before_replace=True,
                # The official plugin says "updated" for these and the engine keeps the old value.
                # https://github.com/kreuzwerker/terraform-provider-docker/issues/988
                replace_on_changes=["healthcheck", "tmpfs"],
            ),
        )
        self.name = container.name
        self.ready = container
        self.register_outputs({"container": container.name})
