"""A plan without an engine and without a state: what the program of one checkout asks for, against that of another.

What a difference means, an update or a replacement, is asked of this repo's own plugins.
`python -m tests.unit.automation.review.recorded TENANT` prints what the program of the checkout it runs in asks for, as JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automation.runs.plan import SECRET, Change, Difference, Plan, none_if_missing, value_at
from plugins.compare import compare
from plugins.docker.container.properties import CONTAINER
from plugins.docker.network import NETWORK
from plugins.docker.volume import VOLUME
from plugins.random.text import PASSWORD
from plugins.schema import Type

LIMIT_SECONDS = 120
TYPES: Mapping[str, Type] = {each.name: each for each in (CONTAINER, NETWORK, VOLUME, PASSWORD)}
Resources = dict[str, dict[str, Any]]


def resources(tenant: str) -> Resources:
    """The inputs of every resource that a tenant's program asks for, by URN; what would be generated is made up."""
    from tests.programs import portal

    recorder = portal(tenant)
    return {urn: each.inputs for urn, each in zip(recorder.urns, recorder.plan, strict=True)}


def without_secrets(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Pulumi's word in the place of each secret."""
    uploads = [
        {**each, "content": SECRET} if each["file"].startswith("/run/secrets/") else each
        for each in inputs.get("uploads") or []
    ]
    return {**inputs, "uploads": uploads} if uploads else dict(inputs)


def inputs_of_checkout(checkout: Path, tenant: str) -> Resources:
    """The same by another checkout's own program, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.unit.automation.review.recorded", tenant],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    resources: Resources = json.loads(ran.stdout)
    return resources


def plan(tenant: str, before: Resources, after: Resources) -> Plan:
    """What becomes of the one when it is brought to the other."""
    changed = [change(urn, before.get(urn), after.get(urn)) for urn in sorted({*before, *after})]
    changes = [each for each in changed if each]
    return Plan(
        tenant=tenant,
        changes=tuple(sorted(changes, key=lambda each: (each.type, each.name, each.urn))),
        unchanged=len(changed) - len(changes),
    )


def change(urn: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change | None:
    """One resource's change, None when it stays as it is."""
    if before is None or after is None:
        op = "delete" if after is None else "create"
        return Change(
            urn=urn, op=op, before=without_secrets(before or {}), after=without_secrets(after or {})
        )
    differing = tuple(differences(urn, before, after))
    if not differing:
        return None
    op = "replace" if any(each.replaces for each in differing) else "update"
    return Change(
        urn=urn, op=op, differences=differing, before=without_secrets(before), after=without_secrets(after)
    )


def differences(urn: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    """Property by property, as this repo's plugins tell it."""
    kind = TYPES.get(urn.split("::")[-2].split("$")[-1])
    if kind is None:
        return
    for each in compare(kind, before, after):
        yield Difference(
            path=each.path,
            kind=each.step.value,
            replaces=each.replace,
            before=none_if_missing(value_at(without_secrets(before), each.path)),
            after=none_if_missing(value_at(without_secrets(after), each.path)),
        )


if __name__ == "__main__":
    print(json.dumps(resources(sys.argv[1])))
