"""Lambda's queue of events over a fleet that answers as a test wants."""

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labswarm_emulator.emulator import Emulator, Settings
from labswarm_emulator.functions.asynchronous import AsynchronousEvents
from labswarm_emulator.functions.concurrency import TooManyRequests
from labswarm_emulator.functions.destinations import Ending
from labswarm_emulator.functions.worker import Outcome
from labswarm_emulator.shell_machines import ShellMachines

SCALE = 0.005
FAILS = Outcome(b'{"errorMessage":"no"}', failed=True)
WORKS = Outcome(b'"yes"')
THROTTLED = TooManyRequests("ConcurrentInvocationLimitExceeded")


class Fleet:
    """Answers one event after the other as `answers` says, and then as the last of them."""

    def __init__(self, answers: list[Outcome | Exception]) -> None:
        self.answers = answers
        self.called_at: list[float] = []

    def invoke(self, function: Any, event: bytes, request_id: str) -> Outcome:
        self.called_at.append(time.monotonic())
        answer = self.answers[min(len(self.called_at), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


Ends = Callable[..., tuple[Ending, Fleet]]


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ends:
    """Runs an event to its end."""

    def run(
        answers: list[Outcome | Exception], reserved: int | None = None, **config: int
    ) -> tuple[Ending, Fleet]:
        settings = Settings("127.0.0.1", 0, tmp_path, time_scale=SCALE)
        fleet, over, endings = Fleet(answers), threading.Event(), []
        events = AsynchronousEvents(Emulator(settings, ShellMachines(tmp_path)), fleet)  # type: ignore[arg-type]
        function = SimpleNamespace(
            function_name="f",
            reserved_concurrency=reserved,
            event_invoke_config=[SimpleNamespace(config=config)],
        )

        def deliver(function: Any, config: Any, ending: Ending) -> None:
            endings.append(ending)
            over.set()

        monkeypatch.setattr(events._destinations, "deliver", deliver)
        events.accept(function, b"{}")
        assert over.wait(10), f"no end after {len(fleet.called_at)} attempts"
        return endings[0], fleet

    return run


def test_an_answered_event_ends_at_once(ended: Ends) -> None:
    ending, fleet = ended([WORKS])
    assert (ending.condition, ending.attempts, ending.last) == ("Success", 1, WORKS)
    assert len(fleet.called_at) == 1


def test_two_retries_come_after_one_and_two_minutes(ended: Ends) -> None:
    ending, fleet = ended([FAILS])
    first, second, third = fleet.called_at
    assert second - first >= 60 * SCALE
    assert third - second >= 120 * SCALE
    assert (ending.condition, ending.attempts) == ("RetriesExhausted", 3)


@pytest.mark.parametrize("refusal", [THROTTLED, OSError("no process")], ids=["throttle", "system"])
def test_throttles_and_system_errors_are_no_attempts(ended: Ends, refusal: Exception) -> None:
    ending, fleet = ended([refusal, refusal, refusal, refusal, WORKS], MaximumRetryAttempts=0)
    assert (ending.condition, ending.attempts) == ("Success", 1)
    waits = [b - a for a, b in itertools.pairwise(fleet.called_at)]
    assert all(wait >= SCALE * 2**n for n, wait in enumerate(waits))
    assert len(waits) == 4


def test_a_throttled_event_is_given_up_at_its_age(ended: Ends) -> None:
    ending, fleet = ended([THROTTLED], MaximumEventAgeInSeconds=60)
    assert (ending.condition, ending.attempts, ending.last) == ("EventAgeExceeded", 0, None)
    assert 1 < len(fleet.called_at) <= 6  # after 1, 3, 7, 15 and 31 s


def test_a_function_that_is_off_keeps_no_events(ended: Ends) -> None:
    ending, fleet = ended([THROTTLED], reserved=0)
    assert (ending.condition, ending.attempts) == ("RetriesExhausted", 0)
    assert len(fleet.called_at) == 1
