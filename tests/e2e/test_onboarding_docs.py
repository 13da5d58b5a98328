"""docs/onboarding.md and docs/examples, run as they stand, on portals of light images."""

import json
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from testbed.light import LightPortals
from testbed.waiting import until
from tests.unit.docs.test_onboarding import blocks

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

# The page's tenant is one of ours here, on our drive; all else stays as it stands.
OAK = "e2e-light-1"
ELM = "e2e-light-2"
UP_SECONDS = 180.0


def test_the_page_s_examples_run_as_they_stand(fleet: LightPortals) -> None:
    """One after the other, in one process, as somebody types them."""
    checkout = fleet.checkout
    script = "\n".join(blocks())
    for example, here in (
        ('"oak"', f'"{OAK}"'),
        ("oak.localhost", f"{OAK}.localhost"),
        ("/srv/portals", str(checkout.drive)),
    ):
        assert example in script
        script = script.replace(example, here)
    (checkout.folder / "page.py").write_text(script)
    ran = checkout.shell("python page.py")
    assert ran.code == 0, str(ran)
    assert f"{OAK} 0 " in ran.out
    assert "no-such-tenant 2 " in ran.out
    assert fleet.objects.containers(OAK)


@pytest.mark.slow
def test_a_csv_of_clients_and_then_the_sales_system(fleet: LightPortals, tmp_path: Path) -> None:
    """The script onboards a client; the same order by HTTP finds the portal as it is, and brings a new link."""
    checkout = fleet.checkout
    clients = tmp_path / "clients.csv"
    clients.write_text(
        f"name,lms,title,images,mail,root\n{ELM},{ELM}.localhost,Elm,packages,sink,{checkout.drive}\n"
    )
    ran = checkout.shell(f"python -m docs.examples.onboard {clients}")
    assert ran.code == 0, str(ran)
    facts = json.loads(ran.out)
    assert facts["tenant"] == ELM
    assert facts["log_in_link"].startswith("http://")
    assert f"{ELM}: portal: " in ran.err

    token = tmp_path / "token"
    token.write_text("a-token-of-more-than-twenty-characters\n")
    running = checkout.start("python3", "docs/examples/sales_endpoint.py", str(token), "0")
    try:
        base = until("the endpoint's address", lambda: running.err.read_text().strip())
        order = {"lms": f"{ELM}.localhost", "title": "Elm"}
        assert ask(f"{base}{ELM}", order)["state"] == "running"
        done = until(
            "the end of the order",
            lambda: (reply := ask(f"{base}{ELM}"))["state"] != "running" and reply,
            limit=UP_SECONDS,
        )
        assert done["state"] == "done", done
        assert done["addresses"] == facts["addresses"]
        assert done["log_in_link"].startswith("http://")
        assert any(line.startswith("portal: ") for line in done["progress"])
    finally:
        os.killpg(running.process.pid, signal.SIGINT)
        ended = running.wait(60)
    # Neither the token nor a link is in what it said.
    assert "token-of" not in ended.output
    assert "log-in" not in ended.output


def ask(url: str, body: object = None) -> dict[str, Any]:
    """GET, or PUT where there is something to say; the answer must be a good one."""
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        method="GET" if body is None else "PUT",
        headers={"Authorization": "Bearer a-token-of-more-than-twenty-characters"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        order: dict[str, Any] = json.load(reply)
        return order
