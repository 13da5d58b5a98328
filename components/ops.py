"""The ops group: containers that run a task and end."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.foundation import Foundation
from components.job import Job, JobArgs
from components.openedx import configured
from components.workload import Attachment, Startable


@dataclass(frozen=True, kw_only=True)
class OpsArgs:
    foundation: Foundation
    after: tuple[Startable, ...]


class Ops(ComponentResource):
    """edxapp-migrations gates the portal: databases, static files and the first admin are there when it ends."""

    def __init__(self, name: str, args: OpsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Ops", name, None, opts)
        base, told = args.foundation, configured(args.foundation)
        lms = base.tenant.release.services["lms"]
        self.migrations = Job(
            "edxapp-migrations",
            JobArgs(
                tenant=base.tenant.name,
                group="ops",
                image=base.images[lms.image],
                user=lms.user,
                memory=base.tenant.sizes["lms"].memory,
                command=("lms-migrate", "cms-migrate", "lms-assets", "create-admin"),
                files=told["files"],
                secrets={**told["secrets"], **base.secrets.files("admin-password")},
                networks=(Attachment(network=base.networks.private),),
                volumes=(*told["volumes"], base.storage.mount("static", "/openedx/static")),
                tmpfs=told["tmpfs"],
                after=args.after,
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
