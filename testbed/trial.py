"""A portal under test: its tenant file, the commands of `./portal`, and questions to its pages and its state."""

import http.client
import json
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.portal.resource_types import PASSWORD
from testbed.checkout import Checkout
from testbed.command_result import CommandResult
from testbed.objects import Objects
from testbed.processes import with_environment
from testbed.waiting import until_none

# Name, port and third byte of the subnet are far from what a first tenant takes.
NUMBERS = {"e2e-oak": 250, "e2e-elm": 251, "e2e-fir": 252}
# Those with light images (light.py), as many as a test may want.
LIGHT_NUMBERS = {f"e2e-light-{each}": 100 + each for each in range(1, 21)}
# Tenants of test files that have a checkout of their own.
OWN_NUMBERS = {"e2e-yew": 253, "e2e-ash": 254}
FIRST_PORT = 18180 - 250
# It checks now and then that its CLI still runs, and ends 5 minutes after the CLI has ended:
# rpcutil.Healthcheck in pulumi-language-python's main.go.
LANGUAGE_HOST = "pulumi-language-python"
LANGUAGE_HOST_SECONDS = 330.0
MANAGED = ("container:Container", "network:Network", "volume:Volume")


@dataclass(kw_only=True)
class Trial:
    """A portal under test, driven by `./portal` alone and judged by the engine."""

    name: str
    checkout: Checkout
    objects: Objects
    root: Path
    choices: dict[str, Any] = field(default_factory=dict)
    broken: str = ""

    @property
    def number(self) -> int:
        """The number from which its subnet and its port are made."""
        return {**NUMBERS, **LIGHT_NUMBERS, **OWN_NUMBERS}[self.name]

    @property
    def port(self) -> int:
        """The port of its load balancer on this machine."""
        return FIRST_PORT + self.number

    @property
    def host(self) -> str:
        """The lms's host name."""
        return f"{self.name}.localhost"

    @property
    def directory(self) -> Path:
        """Where its data lies on the drive."""
        return self.root / self.name

    @property
    def has_stack(self) -> bool:
        """Whether any command has begun to bring it up."""
        return (self.checkout.backend / "stacks" / "portals" / f"{self.name}.json").exists()

    def write(self, **choices: Any) -> None:
        """Write its tenant file: the required keys and all choices so far."""
        self.choices.update(choices)
        tenant_file: dict[str, Any] = {
            # In any script: a title passes through YAML, Pulumi, JSON, Ansible, pages and the heads of mails.
            "title": self.name.removeprefix("e2e-").capitalize() + " University \U0001f393 جامعة",
            "hosts": {"lms": self.host, "cms": f"studio.{self.host}", "mail": f"mail.{self.host}"},
            "listen": {"address": "127.0.0.1", "port": self.port},
            "placement": {"subnet": f"10.77.{self.number}.0/24"},
            "storage": {"root": str(self.root)},
            "admin": {"email": f"admin@{self.host}"},
            # No mail leaves this machine.
            "mail": {"delivery": "sink"},
            **self.choices,
        }
        self.checkout.write(tenant_file, self.name)

    def up(self) -> CommandResult:
        """`./portal up --json`, which must succeed."""
        ran = self.checkout.portal("up", self.name, "--json")
        self.broken = str(ran) if ran.code else ""
        assert ran.code == 0, str(ran)
        return ran

    def destroy(self) -> CommandResult:
        """`./portal destroy`, confirmed, which must succeed."""
        ran = self.checkout.portal("destroy", self.name, "--confirm", self.name)
        assert ran.code == 0, str(ran)
        return ran

    def changes(self, *words: str) -> list[dict[str, Any]]:
        """What `./portal preview --json` says would change."""
        # Some tests put data at risk on purpose.
        ran = self.checkout.portal("preview", self.name, "--json", "--allow", "data-loss", *words)
        assert ran.code == 0, str(ran)
        changes: list[dict[str, Any]] = ran.facts()["changes"]
        return changes

    def outputs(self) -> dict[str, Any]:
        """`pulumi stack output --json` by the plain CLI, secrets shown."""
        ran = self.checkout.shell(f"pulumi stack output --json --show-secrets --stack {self.name}")
        assert ran.code == 0, str(ran)
        outputs: dict[str, Any] = ran.facts()
        return outputs

    def state(self, *words: str) -> list[dict[str, Any]]:
        """The resources of `pulumi stack export`."""
        ran = self.checkout.shell(f"pulumi stack export --stack {self.name} {' '.join(words)}")
        assert ran.code == 0, str(ran)
        resources: list[dict[str, Any]] = ran.facts()["deployment"].get("resources") or []
        return resources

    def names_in_state(self) -> set[str]:
        """The ids of the containers, networks and volumes in the state."""
        return {each["id"] for each in self.state() if each["type"].endswith(MANAGED)}

    def passwords(self) -> dict[str, str]:
        """Every generated password by its name, from the state with its secrets shown."""
        return {
            each["urn"].split("::")[-1]: json.loads(each["outputs"]["result"]["plaintext"])
            for each in self.state("--show-secrets")
            if each["type"] == PASSWORD
        }

    def admin_credentials(self) -> tuple[str, str]:
        """The admin's e-mail address, and the password from the file that `up` names."""
        path = self.checkout.data / "portals" / "tenants" / self.name / "admin-password"
        return f"admin@{self.host}", path.read_text()

    def url(self, path: str = "/", service: str = "lms") -> str:
        """The URL of a page for a browser on this machine."""
        below = {"lms": "", "cms": "studio.", "mail-sink": "mail."}[service]
        return f"http://{below}{self.host}:{self.port}{path}"

    def get(self, path: str, service: str = "lms") -> tuple[int, str]:
        """Status and text of a page, asked of the load balancer by host name. The status is 0 when nothing answers."""
        host = self.url("", service).removeprefix("http://")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request("GET", path, headers={"Host": host})
            reply = connection.getresponse()
            return reply.status, reply.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()

    def mailed_links(self, address: str) -> list[str]:
        """The links in the newest mail to an address, from the mail sink's page for the admin. Empty when there is no mail."""
        user, password = "admin", self.admin_credentials()[1]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request(
                "GET",
                f"/messages.json?to={quote(address)}",
                headers={
                    "Host": f"mail.{self.host}:{self.port}",
                    "Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode(),
                },
            )
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        assert reply.status == 200, text
        newest = json.loads(text)["messages"][:1]
        return [str(link) for mail in newest for link in mail["links"]]

    def unhealthy(self) -> list[str]:
        """Services that do not run or are not healthy, as the engine says."""
        return sorted(
            service
            for service, inspection in self.objects.containers(self.name, jobs=False).items()
            if inspection["State"].get("Health", {}).get("Status") != "healthy"
        )

    def assert_whole(self) -> None:
        """All services are healthy, nothing would change, the state has every object, and no lock or process is left."""
        services = self.checkout.portal("status", self.name, "--json").facts()
        assert services["healthy"], services
        assert not self.unhealthy()
        status, heartbeat = self.get("/heartbeat?extended")
        assert status == 200, heartbeat
        assert self.changes("--refresh") == []
        assert self.objects.ids(self.name) == self.names_in_state()
        self.assert_quiet()

    def assert_quiet(self) -> None:
        """No command of this checkout holds a lock or has left a process."""
        locks = self.checkout.backend / "locks"
        assert [str(each) for each in locks.rglob("*.json")] == []
        until_none(
            "the end of every process of this checkout",
            lambda: [each for each in self.processes() if LANGUAGE_HOST not in each],
            limit=15,
        )

    def assert_no_language_host(self) -> None:
        """The language host of a CLI that was killed is gone too."""
        until_none("the end of every language host", self.processes, limit=LANGUAGE_HOST_SECONDS)

    def processes(self) -> list[str]:
        """`pid: command line` of every process that a command of this checkout has started."""
        return with_environment(f"XDG_DATA_HOME={self.checkout.data}")
