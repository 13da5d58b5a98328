"""When Pulumi's lock is proved to be nobody's, what a run writes of itself, and who is seen from where."""

import json
import os
import time
from pathlib import Path

import pytest

from automation.errors import Overtaken
from automation.locks import pulumi_locks
from automation.locks.processes import Process, ProcessLocation
from automation.locks.pulumi_locks import HolderState, Lock, View
from automation.locks.record import Record
from tests.unit.automation.locks.records import DEAD, HERE, LIVING, SINCE, TIME, record

OTHER_BOOT = ProcessLocation(boot="an-earlier-boot", pids="pid:[1]", host="here")
CONTAINER = ProcessLocation(boot="this-boot", pids="pid:[2]", host="here")
# Of whom a lock may be: what this process holds itself is nobody else's.
PARENT = Process.with_pid(os.getppid()) or DEAD


def lock(name: str = "plain.json", pid: int = 4242, host: str = "here", since: str = SINCE) -> Lock:
    return Lock(path=Path(name), pid=pid, host=host, user="root", since=since)


@pytest.mark.parametrize(
    ("what", "which", "one_kernel", "sees_all", "who", "visible", "verdict"),
    [
        ("a plain pulumi that is seen", lock(), True, True, None, True, HolderState.LIVE),
        ("one that would be seen, and is not", lock(), True, True, None, False, HolderState.GONE),
        ("the same, of a container that has another name", lock(host="c1"), True, True, None, False, HolderState.GONE),
        ("one that might be in another namespace", lock(), True, False, None, False, HolderState.UNKNOWN),
        ("seen in this namespace", lock(), True, False, None, True, HolderState.LIVE),
        ("another host with the same name", lock(), False, True, None, False, HolderState.UNKNOWN),
        ("its number is somebody's here", lock(), False, True, None, True, HolderState.LIVE),
        ("another host", lock(host="elsewhere"), False, True, None, False, HolderState.UNKNOWN),
        ("another host, its number is somebody's here", lock(host="elsewhere"), False, True, None, True, HolderState.UNKNOWN),
        ("a run of ours, by the lock's name", lock("ours.json"), True, False, record(), False, HolderState.GONE),
        ("its number was given anew", lock("ours.json"), True, False, record(), True, HolderState.GONE),
        ("a run of ours in another namespace", lock("ours.json"), True, False, record(CONTAINER), False, HolderState.GONE),
        ("a run of ours before a reboot", lock("ours.json"), True, False, record(OTHER_BOOT), False, HolderState.GONE),
        ("by its CLI's number", lock(pid=DEAD.pid), True, False, record(), False, HolderState.GONE),
        ("by its CLI's number, of another namespace", lock(pid=DEAD.pid), True, False, record(CONTAINER), False, HolderState.UNKNOWN),
        ("the same before a reboot", lock(pid=DEAD.pid), True, False, record(OTHER_BOOT), False, HolderState.UNKNOWN),
        ("by its CLI's number, and a pulumi in a container has it", lock(pid=DEAD.pid), True, False, record(), True, HolderState.LIVE),
        ("by name, and its CLI runs: our lock was removed under it", lock("ours.json", PARENT.pid), True, False, record(cli=PARENT), False, HolderState.LIVE),
        ("that number, an hour later", lock(pid=DEAD.pid, since="2026-08-22T11:00:00+02:00"), True, False, record(), False, HolderState.UNKNOWN),
        ("that number before our CLI", lock(pid=DEAD.pid, since="2026-08-22T09:00:00+02:00"), True, False, record(), False, HolderState.UNKNOWN),
        ("that number, another host's name", lock(pid=DEAD.pid, host="c1"), True, False, record(), False, HolderState.UNKNOWN),
        ("no run of ours took it", lock(), True, False, record(), False, HolderState.UNKNOWN),
        ("a run that had no CLI yet", lock(pid=DEAD.pid), True, False, record(cli=None), False, HolderState.UNKNOWN),
        ("shared by hosts: a dead run seen from its own namespace", lock("ours.json"), False, False, record(), False, HolderState.GONE),
        ("shared by hosts: a CLI that runs on", lock("ours.json"), False, False, record(cli=LIVING), False, HolderState.LIVE),
        ("shared by hosts: another namespace", lock("ours.json"), False, False, record(CONTAINER), False, HolderState.UNKNOWN),
        ("shared by hosts: a reboot, or another host of that name", lock("ours.json"), False, False, record(OTHER_BOOT), False, HolderState.UNKNOWN),
        ("torn, and some pulumi is seen", lock(pid=0, host="", since=""), True, True, None, True, HolderState.LIVE),
        ("torn, and none is", lock(pid=0, host="", since=""), True, True, None, False, HolderState.GONE),
        ("torn, and not all are seen", lock(pid=0, host="", since=""), True, False, None, False, HolderState.UNKNOWN),
    ],
)  # fmt: skip
def test_a_lock_is_nobodys_only_where_that_is_proved(
    what: str,
    which: Lock,
    one_kernel: bool,
    sees_all: bool,
    who: Record | None,
    visible: bool,
    verdict: HolderState,
) -> None:
    view = View(here=HERE, one_kernel=one_kernel, sees_all=sees_all, record=who)
    assert view.judge(which, lambda pid, since: visible) is verdict, what


def test_where_nothing_is_known_of_the_kernel_nothing_is_proved() -> None:
    nowhere = ProcessLocation(boot="", pids="", host="here")
    view = View(here=nowhere, one_kernel=False, sees_all=False, record=record(nowhere))
    assert view.judge(lock("ours.json"), lambda pid, since: False) is HolderState.UNKNOWN


@pytest.mark.parametrize(
    ("content", "pid", "host"),
    [
        ('{"pid": 12, "username": "u", "hostname": "h", "timestamp": "t"}', 12, "h"),
        ('{"pid": 12', 0, ""),
        ("", 0, ""),
        ('{"pid": "12"}', 0, ""),
        ('{"pid": -1}', 0, ""),
    ],
)
def test_a_torn_lock_says_nothing(tmp_path: Path, content: str, pid: int, host: str) -> None:
    (tmp_path / "one.json").write_text(content)
    (lock,) = pulumi_locks.locks_in(tmp_path)
    assert (lock.pid, lock.host, lock.time) == (pid, host, 0.0)


def test_a_locks_time_is_gos() -> None:
    assert lock().time == pytest.approx(TIME, abs=1e-5)


def test_pulumis_lock_is_held_as_the_cli_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    noted: list[str] = []
    (tmp_path / "beside").mkdir()
    with pulumi_locks.hold_pulumi_lock(folder, tmp_path / "beside", "acme", noted.append):
        (path,) = folder.iterdir()
        assert [path.name] == noted
        assert set(json.loads(path.read_text())) == {"pid", "username", "hostname", "timestamp"}
        (lock,) = pulumi_locks.locks_in(folder)
        assert (lock.pid, lock.host) == (os.getpid(), ProcessLocation.current().host)
        assert abs(lock.time - time.time()) < 60
        with (
            pytest.raises(Overtaken),
            pulumi_locks.hold_pulumi_lock(folder, tmp_path / "beside", "acme", noted.append),
        ):
            pass
        assert list(folder.iterdir()) == [path]
    assert list(folder.iterdir()) == []
