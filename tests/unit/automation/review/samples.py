"""Changes for tests, short to write: a container's inputs as components/ makes them."""

from typing import Any

from automation.runs.plan import Change, Difference, Plan, none_if_missing, value_at

__all__ = ["change", "container", "plan", "volume"]


def container(service: str = "lms", group: str = "openedx", **more: Any) -> dict[str, Any]:
    """The inputs of a container that matter here; `labels` adds to its own."""
    labels = {
        "portal.group": group,
        "portal.service": service,
        "portal.tenant": "acme",
        **more.pop("labels", {}),
    }
    return {
        "name": f"acme-{service}",
        "image": f"portals/{service}:1",
        "memory": 512,
        "restart": "unless-stopped",
        "destroyGraceSeconds": 30,
        "user": "1000",
        "labels": [{"label": key, "value": value} for key, value in sorted(labels.items())],
        **more,
    }


def volume(name: str = "mysql", root: str = "/srv/portals", **more: Any) -> dict[str, Any]:
    """The inputs of a volume."""
    options = {"type": "none", "o": "bind", "device": f"{root}/acme/{name}"}
    return {"name": f"acme-{name}", "driver": "local", "driverOpts": options, **more}


def change(
    op: str, kind: str, name: str, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> Change:
    """A change, with the differences of its first level."""
    old, new = before or {}, after or {}
    paths = sorted(each for each in {*old, *new} if old.get(each) != new.get(each))
    return Change(
        urn=f"urn:pulumi:acme::portals::portal:index:Portal${kind}::{name}",
        op=op,
        differences=tuple(
            Difference(
                path=path,
                kind="update",
                replaces=op == "replace",
                before=none_if_missing(value_at(old, path)),
                after=none_if_missing(value_at(new, path)),
            )
            for path in (paths if op in ("update", "replace") else ())
        ),
        before=old,
        after=new,
    )


def plan(*changes: Change, tenant: str = "acme") -> Plan:
    """A plan of these."""
    return Plan(tenant=tenant, changes=tuple(changes))
