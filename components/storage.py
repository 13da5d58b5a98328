"""A portal's directory on the drive: the job that makes its tree, and one Docker volume a directory."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_docker as docker
from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions

from components.creation_order import CreationOrder
from components.job import Job, JobArgs
from components.workload import HostMount, VolumeMount, identity
from config.portal.labels import IMAGES, OWNER, RELEASE
from config.portal.resource_types import STORAGE
from config.releases.upgrades import DeployedRelease
from config.values import drive_paths
from config.values.checks import LEAST_FREE
from config.values.drive_paths import SENTINEL

# Written by Open edX and read by nginx, which runs as another user; all others are their service's alone.
SHARED = ("media", "static")


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """`directories` maps a directory's name to the user id that owns it.

    `memory` is storage-init's limit in MiB; `target` is what the data is to belong to, `before` what it may belong to until then.
    """

    tenant: str
    # Of the state that keeps it; empty where nothing names one.
    owner: str
    root: str
    image: str
    memory: int
    target: DeployedRelease
    before: tuple[DeployedRelease, ...]
    directories: Mapping[str, int]
    order: CreationOrder


class Storage(ComponentResource):
    """`<root>/<tenant>/<directory>`; no container but the storage-init job sees more than its own directories."""

    ready: Input[Resource]

    def __init__(self, name: str, args: StorageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(STORAGE, name, None, opts)
        self.directory = f"{args.root}/{args.tenant}"
        self.job = Job(
            "storage-init",
            JobArgs(
                tenant=args.tenant,
                group="ops",
                image=args.image,
                user=0,
                memory=args.memory,
                # Inside, the directory is /portal; its errors name the path that the operator knows.
                env={"PORTAL_DIRECTORY": self.directory},
                command=(
                    "storage-init",
                    "--min-free-mb",
                    str(LEAST_FREE),
                    # The drive outlives the stack, so the data says itself what it belongs to.
                    "--release",
                    _release(args.target),
                    "--after",
                    ",".join(_release(each) for each in args.before),
                    # And who may delete it.
                    *(("--owner", args.owner) if args.owner else ()),
                    *(
                        f"{each}:{uid}:{uid}:{'0755' if each in SHARED else '0750'}"
                        for each, uid in sorted(args.directories.items())
                    ),
                ),
                host_mounts=(
                    # A bind mount of a path that is absent is refused by the engine: without the sentinel this
                    # container cannot be created, and everything else waits for it.
                    HostMount(source=f"{args.root}/{SENTINEL}", path="/sentinel", read_only=True),
                    # The one path that the engine may make: the sentinel beside it has just been seen.
                    HostMount(source=self.directory, path="/portal", must_exist=False),
                ),
                capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER"),
                labels={
                    RELEASE: args.target.release,
                    IMAGES: args.target.images,
                    **({OWNER: args.owner} if args.owner else {}),
                },
            ),
            ResourceOptions(parent=self),
        )
        self.ready = self.job.ready
        self.volumes: Mapping[str, Output[str]] = {
            each: self._volume(each, args) for each in sorted(args.directories)
        }
        self.register_outputs({"directory": self.directory})

    def _volume(self, directory: str, args: StorageArgs) -> Output[str]:
        made = docker.Volume(
            f"volume-{directory}",
            name=f"{args.tenant}-{directory}",
            driver="local",
            # Unlike host_path, this fails when the path is not there instead of making it on the host's
            # own disk. https://github.com/docker/compose/issues/9971
            driver_opts=drive_paths.volume_options(f"{self.directory}/{directory}"),
            labels=[
                docker.VolumeLabelArgs(label=key, value=value)
                for key, value in sorted(identity(args.tenant, "data", f"volume-{directory}").items())
            ],
            opts=args.order.options(self),
        )
        args.order.created(made)
        return made.name

    def mount(self, directory: str, path: str, *, read_only: bool = False) -> VolumeMount:
        """One of the portal's directories at `path` of a container."""
        return VolumeMount(volume=self.volumes[directory], path=path, read_only=read_only)


def _release(deployed: DeployedRelease) -> str:
    return f"{deployed.release}/{deployed.images}"
