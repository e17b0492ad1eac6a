"""Asynchronous invocations: tried again within the event's age, and reported at their end.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.models import LambdaFunction

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.functions.concurrency import TooManyRequests, reserved_of
from labswarm_emulator.functions.destinations import Destinations, Ending
from labswarm_emulator.functions.fleet import Fleet
from labswarm_emulator.functions.states import NotReady
from labswarm_emulator.functions.worker import Outcome

RETRY_DELAYS_S = (60.0, 120.0)
"""Before the second and third attempt, after a function error."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
"""Between attempts that were throttled or met a system error, which count as none: each wait is
twice the last."""
AGE_S = 21_600
"""How long an event is tried, unless MaximumEventAgeInSeconds says otherwise."""


@dataclass
class Event:
    """One event on its way to a function."""

    function: LambdaFunction
    payload: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    accepted_at: float = field(default_factory=time.monotonic)
    attempts: int = 0
    put_back: int = 0
    last: Outcome | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The function's EventInvokeConfig as it is now."""
        configs = self.function.event_invoke_config
        return dict(configs[-1].config) if configs else {}


class AsynchronousEvents:
    """Lambda's queue of events, which runs each in the background."""

    def __init__(self, emulator: Emulator, fleet: Fleet) -> None:
        self._emulator = emulator
        self._fleet = fleet
        self._destinations = Destinations(emulator)
        self._closed = threading.Event()

    def accept(self, function: LambdaFunction, payload: bytes) -> None:
        """Run an event of the function, now and again after errors; returns at once."""
        self._begin(Event(function, payload))

    def close(self) -> None:
        """Try nothing again."""
        self._closed.set()

    def _begin(self, event: Event) -> None:
        if not self._closed.is_set():
            threading.Thread(target=self._run, args=(event,), daemon=True).start()

    def _run(self, event: Event) -> None:
        if self._too_old(event, 0):
            self._end(event, "EventAgeExceeded")
            return
        try:
            event.last = self._fleet.invoke(event.function, event.payload, event.request_id)
        except (TooManyRequests, NotReady, OSError) as refusal:
            self._put_back(event, refusal)
            return
        event.attempts += 1
        if not event.last.failed:
            self._end(event, "Success")
        elif event.attempts > int(event.config.get("MaximumRetryAttempts", len(RETRY_DELAYS_S))):
            self._end(event, "RetriesExhausted")
        else:
            self._again(event, RETRY_DELAYS_S[event.attempts - 1])

    def _put_back(self, event: Event, refusal: TooManyRequests | NotReady | OSError) -> None:
        if reserved_of(event.function) == 0:
            self._end(event, "RetriesExhausted")  # switched off: it is not kept for later
            return
        what = "throttled" if isinstance(refusal, TooManyRequests) else "not started"
        about = {"function": event.function.function_name, "request_id": event.request_id}
        self._emulator.record.write("functions", what, failure=repr(refusal), **about)
        wait_s = min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2**event.put_back)
        event.put_back += 1
        self._again(event, wait_s)

    def _again(self, event: Event, wait_s: float) -> None:
        if self._too_old(event, wait_s):
            self._end(event, "EventAgeExceeded")
        else:
            self._emulator.clock.after(wait_s, lambda: self._begin(event))

    def _too_old(self, event: Event, wait_s: float) -> bool:
        """Whether the event is beyond its age, `wait_s` from now."""
        age_s = float(event.config.get("MaximumEventAgeInSeconds", AGE_S))
        real = self._emulator.clock.real
        return time.monotonic() - event.accepted_at + real(wait_s) > real(age_s)

    def _end(self, event: Event, condition: str) -> None:
        ending = Ending(condition, event.request_id, event.payload, event.attempts, event.last)
        self._destinations.deliver(event.function, event.config, ending)
