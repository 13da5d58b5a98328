"""What a build reports."""

from automation.images import Event, State


def test_an_event_reads_in_one_line() -> None:
    assert str(Event(role="mysql", state=State.PRESENT)) == "mysql: present"
    assert str(Event(role="mysql", state=State.BUILT, seconds=9.4)) == "mysql: built 9 s"
    assert (
        str(Event(role="mysql", state=State.BUILDING, seconds=2.0, line="Step 1"))
        == "mysql: building 2 s: Step 1"
    )
