"""The ops group: containers that run a task and end."""

from dataclasses import dataclass

from pulumi import ComponentResource, ResourceOptions

from components.foundation import Foundation
from components.job import Job, JobArgs
from components.openedx_configuration import configuration_args
from components.workload import Startable


@dataclass(frozen=True, kw_only=True)
class OpsArgs:
    """`after` is what the migrations connect to: each has to be healthy by then."""

    foundation: Foundation
    after: tuple[Startable, ...]


class Ops(ComponentResource):
    """edxapp-migrations gates the portal: databases, static files and the first admin are there when it ends."""

    def __init__(self, name: str, args: OpsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Ops", name, None, opts)
        base = args.foundation
        # As the lms runs, with its image; but nobody is to find it under the lms's name.
        lms_args = base.workload_args("lms", **configuration_args(base))
        lms_args["networks"] = base.attached("edxapp-migrations")
        self.migrations = Job(
            "edxapp-migrations",
            JobArgs(
                **{
                    **lms_args,
                    "group": "ops",
                    # One start of Django for what follows each other and is the lms's.
                    "command": ("lms-migrate", "oauth-sync", "create-admin", "cms-migrate", "lms-assets"),
                    "secrets": {**lms_args["secrets"], **base.secrets.files("admin-password")},
                    "volumes": (*lms_args["volumes"], base.storage.mount("static", "/openedx/static")),
                },
                after=args.after,
            ),
            ResourceOptions(parent=self),
        )
        self.register_outputs({})
