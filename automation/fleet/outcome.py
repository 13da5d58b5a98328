"""How a command on one tenant has ended, as data that can be sent from one process to another."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from automation.errors import PortalError
from automation.images.event import BuildError
from automation.runs.plan import Plan
from config.images import ImageError
from config.reading.errors import ConfigError
from toolchain.output import describe_fault

# Exit code 2 is what Typer gives for words that it does not know; a tenant file is words, too.
BAD_WORDS = 2


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`facts` are what the command tells, `plan` what a preview found; `reason` is why it failed, with the remedy."""

    tenant: str
    exit_code: int = 0
    reason: str = ""
    facts: Any = None
    plan: Plan | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked for."""
        return self.exit_code == 0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        plan = {"changes": [each.facts() for each in self.plan.changes]} if self.plan else {}
        return {
            "ok": self.ok,
            "exit_code": self.exit_code,
            "reason": self.reason,
            "seconds": round(self.seconds, 1),
            **plan,
            **(self.facts if isinstance(self.facts, dict) else {}),
        }


def outcome_of(tenant: str, command: Callable[[], Any]) -> Outcome:
    """Run a command; every failure becomes an outcome with its reason and exit code."""
    began = time.monotonic()
    code, reason, result = 0, "", None
    try:
        result = command()
    except PortalError as error:
        code, reason = error.exit_code, str(error)
    except ConfigError as error:
        code, reason = BAD_WORDS, str(error)
    except (BuildError, ImageError) as error:
        code, reason = 1, str(error)
    except Exception as error:  # noqa: BLE001 (one tenant's fault must not be the end of the others')
        code, reason = 1, describe_fault(error)
    return Outcome(
        tenant=tenant,
        exit_code=code,
        reason=reason,
        facts=None if isinstance(result, Plan) else result,
        plan=result if isinstance(result, Plan) else None,
        seconds=time.monotonic() - began,
    )


def exit_code(outcomes: list[Outcome]) -> int:
    """Of a command over many tenants: 0 when all went well, the one code that all failures share, else 1."""
    codes = {each.exit_code for each in outcomes if not each.ok}
    return 0 if not codes else codes.pop() if len(codes) == 1 else 1
