"""Ended once, a command ends what it has begun; ended twice, it ends at once; and nothing waits for ever."""

import os
import signal

import pytest

from automation.cancellation import Cancel, at_once_event, cancel_on_signals, interrupt_on_termination


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_first_signal_asks_and_a_second_one_asks_for_at_once(number: signal.Signals) -> None:
    cancel = Cancel()
    # A shell without job control has its background commands ignore SIGINT, and these tests may be one.
    before = signal.signal(number, refuse := lambda *_: pytest.fail(f"{number.name} reached nobody"))
    try:
        with cancel_on_signals(cancel, at_once_event(cancel)):
            os.kill(os.getpid(), number)
            assert (cancel.is_set(), cancel.at_once.is_set()) == (True, False)
            os.kill(os.getpid(), number)
            assert cancel.at_once.is_set()
        assert signal.getsignal(number) is refuse
    finally:
        signal.signal(number, before)


def test_a_closed_terminal_means_nothing_under_nohup(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        cancel = Cancel()
        with cancel_on_signals(cancel, at_once_event(cancel)):
            os.kill(os.getpid(), signal.SIGHUP)
            assert not cancel.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_ends_a_service_or_a_job_leaves_its_blocks_in_order() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        interrupt_on_termination()
        for number in before:
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
