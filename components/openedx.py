"""Open edX: lms and cms, their workers, the forum, and nginx for the static files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, ResourceOptions

from components.foundation import Foundation
from components.openedx_configuration import configuration_args
from components.service import Service
from components.workload import CPU_SHARES, Startable
from config.portal.openedx import FORUM_SECRETS, forum_env
from config.tenant import worker_groups
from config.tenant.sections import WorkerGroup

# A quarter of a page's: somebody waits for the page. Where processors are free, tasks get all they can use.
TASKS_CPU_SHARES = CPU_SHARES // 4


@dataclass(frozen=True, kw_only=True)
class OpenEdxArgs:
    """`after` is what has to be up, or done, before the first of them starts."""

    foundation: Foundation
    after: tuple[Startable, ...]


def workers_env(verb: str, name: str, group: WorkerGroup) -> dict[str, str]:
    """What a container of workers is told. `name` is what it calls itself where several have one verb."""
    named = {} if name == verb else {"OPENEDX_SERVICE": name}
    return {"OPENEDX_QUEUES": ",".join(group.queues), "OPENEDX_WORKERS": str(group.workers), **named}


class OpenEdx(ComponentResource):
    """One image, four roles told by their verb, and forum and nginx beside them."""

    def __init__(self, name: str, args: OpenEdxArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:OpenEdx", name, None, opts)
        base, storage = args.foundation, args.foundation.storage
        child = ResourceOptions(parent=self)

        def role(verb: str, name: str, env: Mapping[str, str], **more: Any) -> Service:
            return Service(
                name,
                base.service(
                    verb,
                    args.after,
                    command=(verb,),
                    env=env,
                    **configuration_args(base),
                    probe=("/usr/local/bin/probe", verb),
                    **more,
                ),
                child,
            )

        def workers(name: str, group: WorkerGroup) -> Service:
            verb = worker_groups.service(name)
            return role(
                verb,
                name,
                workers_env(verb, name, group),
                memory=group.memory,
                cpu_shares=TASKS_CPU_SHARES,
                grace_seconds=group.grace_seconds,
                networks=base.attached(name),
            )

        made = {
            verb: role(verb, verb, {"OPENEDX_WORKERS": str(base.tenant.sizes[verb].workers)})
            for verb in ("lms", "cms")
        }
        made |= {name: workers(name, group) for name, group in base.tenant.workers.items()}
        if "forum" in base.tenant.services:
            made["forum"] = Service(
                "forum",
                base.service("forum", env=forum_env(base.tenant), secrets=base.secrets.files(*FORUM_SECRETS)),
                child,
            )
        if "nginx" in base.tenant.services:
            made["nginx"] = Service(
                "nginx",
                base.service(
                    "nginx",
                    volumes=(
                        storage.mount("static", "/openedx/static", read_only=True),
                        storage.mount("media", "/openedx/media", read_only=True),
                    ),
                ),
                child,
            )
        if "mfe" in base.tenant.services:
            made["mfe"] = Service("mfe", base.service("mfe"), child)
        self.services: Mapping[str, Service] = made
        self.register_outputs({})
