"""One container that runs to its end. With service.py, the only module that creates docker.Container."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker
from pulumi import ComponentResource, CustomTimeouts, Input, Resource, ResourceOptions

from components.workload import Workload, container_inputs
from config.portal.labels import RUN

# The migrations of a new database took from 13 to 40 minutes on two cores, by what else they did (docs/images.md). The
# default of both plugins is 20.
LONGEST = "2h"
# Enough of a job's log to see why it failed, and no more in a terminal or a pull request.
LAST_LINES = 12


class JobFailed(pulumi.RunError):
    """A job ended with an exit code other than 0. A RunError: its words reach the user without a traceback."""


@dataclass(frozen=True, kw_only=True)
class JobArgs(Workload):
    """A workload that ends. It runs again whenever its image, its command or `run` changes."""

    run: str = "1"


def failure(tenant: str, name: str, code: int, logs: str) -> str:
    """What a failed job tells: its exit code, the end of its log, and how to try again."""
    lines = [line for line in logs.strip().splitlines() if line.strip()][-LAST_LINES:]
    log = "\n".join(f"    {line}" for line in lines) or "    (it logged nothing)"
    return (
        f"job {name} of portal {tenant} ended with exit code {code}; its last lines:\n{log}\nFix the "
        f"cause, then run `./portal up {tenant}` to run it again (plain CLI: `pulumi up --replace "
        f"'**Container::{name}'`)."
    )


class Job(ComponentResource):
    """Runs once while the portal comes up, and gates what comes after it."""

    ready: Input[Resource]

    def __init__(self, name: str, args: JobArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("portal:index:Job", name, None, opts)
        container = docker.Container(
            name,
            **container_inputs(name, args, labels={RUN: args.run}),
            restart="no",
            must_run=False,
            attach=True,
            logs=True,
            opts=ResourceOptions(
                parent=self,
                depends_on=[each.ready for each in args.after],
                delete_before_replace=True,
                replace_on_changes=["tmpfs"],
                custom_timeouts=CustomTimeouts(create=LONGEST, update=LONGEST),
            ),
        )

        # The provider waits for the end but ignores how it ended.
        def succeeded(ended: list[object]) -> Resource:
            code, logs = ended
            if code:
                raise JobFailed(failure(args.tenant, name, int(str(code)), str(logs or "")))
            return container

        self.name = container.name
        self.ready = pulumi.Output.all(container.exit_code, container.container_logs).apply(succeeded)
        self.register_outputs({"container": container.name, "exit_code": container.exit_code})
