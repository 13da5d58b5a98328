"""Mail: what every mail of the portal goes through, and where a demo's mail ends."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, ResourceOptions, RunError

from components.foundation import Foundation
from components.secrets import FOLDER
from components.service import Service, ServiceArgs
from config.portal.mail import SMARTHOST_SECRET, environment, missing_password


@dataclass(frozen=True, kw_only=True)
class MailerArgs:
    """`smarthost_password` is the stack's own secret; only a smarthost needs one."""

    foundation: Foundation
    smarthost_password: Input[str] | None = None


class Mailer(ComponentResource):
    """The mailer with its queue on the drive, and the sink where the tenant has one."""

    def __init__(self, name: str, args: MailerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Mailer", name, None, opts)
        base, tenant, storage = args.foundation, args.foundation.tenant, args.foundation.storage
        child = ResourceOptions(parent=self)
        secrets: dict[str, Input[str]] = {}
        if tenant.mail.delivery == "smarthost":
            if args.smarthost_password is None:
                raise RunError(missing_password(tenant))
            secrets[f"{FOLDER}/{SMARTHOST_SECRET}"] = args.smarthost_password
        common = base.common_args("mailer")
        self.mailer = Service(
            "mailer",
            ServiceArgs(
                **common,
                env=environment(tenant),
                secrets=secrets,
                volumes=(storage.mount("mailer", "/data"),),
                after=(base.storage,),
            ),
            child,
        )
        self.services: Mapping[str, Service] = {"mailer": self.mailer}
        if "mail-sink" in tenant.services:
            self.services = {
                **self.services,
                "mail-sink": Service(
                    "mail-sink",
                    base.service(
                        "mail-sink",
                        env={"SINK_TITLE": tenant.title, "SINK_USERNAME": tenant.admin.username},
                        secrets=base.secrets.files("admin-password"),
                        volumes=(storage.mount("mail-sink", "/data"),),
                    ),
                    child,
                ),
            }
        self.register_outputs({})
