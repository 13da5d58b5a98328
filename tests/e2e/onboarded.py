"""A portal that `./portal new` has made, as an operator types it."""

from dataclasses import dataclass

from testbed.command_result import CommandResult
from testbed.trial import Trial


@dataclass(frozen=True, kw_only=True)
class Onboarded:
    """The portal, and what the command said."""

    portal: Trial
    result: CommandResult

    @classmethod
    def new(cls, portal: Trial) -> "Onboarded":
        """Onboard a tenant that nobody has asked for yet; whether it went well is the caller's to see."""
        words = ("--lms", portal.host, "--mail", "sink", "--root", str(portal.root))
        # Where no other portal of these tests is.
        numbers = ("--port", str(portal.port), "--subnet", f"10.77.{portal.number}.0/24")
        return cls(
            portal=portal, result=portal.checkout.portal("new", portal.name, *words, *numbers, "--json")
        )

    def remove(self) -> None:
        """Take it away with its data."""
        name, checkout = self.portal.name, self.portal.checkout
        checkout.portal("destroy", name, "--confirm", name)
        ran = checkout.portal("purge", name, "--confirm", name)
        assert ran.code == 0, str(ran)
        assert not self.portal.objects.ids(name)
