"""Light images keep the contract that the program relies on, and a portal of them is up in seconds."""

import pytest

from testbed.light import LightPortals

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
# Of a machine that does nothing else it is 12 s; this is for two busy cores.
UP_SECONDS = 60.0


def test_a_light_portal_lives_a_whole_life(fleet: LightPortals) -> None:
    """Up, whole, changed, destroyed with its data kept, and each image says that it is light."""
    birch = fleet.trial(1)
    ran = birch.up()
    assert ran.seconds < UP_SECONDS, str(ran)
    birch.assert_whole()
    status, page = birch.get("/")
    assert (status, page.strip()) == (200, "light load-balancer")
    containers = fleet.objects.containers(birch.name)
    assert len(containers) > 15
    for service, each in containers.items():
        if service != "storage-init":
            log = fleet.objects.client.logs(each["Id"]).decode()
            assert "a light image, for tests of the tools alone" in log, (service, log)
    birch.write(title="Silver birch")
    assert birch.changes()
    birch.up()
    birch.destroy()
    assert not fleet.objects.ids(birch.name)
    owners = fleet.objects.run_on_drive(
        birch.root, f"stat -c %u /drive/{birch.name}/mysql; cat /drive/{birch.name}/mysql/light"
    )
    assert owners.split() == ["60999", "started"]
