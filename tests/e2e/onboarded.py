"""A portal that was made with `./portal new`."""

from dataclasses import dataclass

from testbed.command_result import CommandResult
from testbed.trial import Trial


@dataclass(frozen=True, kw_only=True)
class Onboarded:
    """The portal, and the result of the command."""

    portal: Trial
    result: CommandResult

    @classmethod
    def new(cls, portal: Trial) -> "Onboarded":
        """Run `./portal new` for a new tenant. The caller checks the result."""
        words = ("--lms", portal.host, "--images", "packages", "--mail", "sink", "--root", str(portal.root))
        # No other portal of these tests has these.
        numbers = ("--port", str(portal.port), "--subnet", f"10.77.{portal.number}.0/24")
        return cls(
            portal=portal, result=portal.checkout.portal("new", portal.name, *words, *numbers, "--json")
        )

    def remove(self) -> None:
        """Destroy and purge the portal."""
        name, checkout = self.portal.name, self.portal.checkout
        checkout.portal("destroy", name, "--confirm", name)
        ran = checkout.portal("purge", name, "--confirm", name)
        assert ran.code == 0, str(ran)
        assert not self.portal.objects.ids(name)
