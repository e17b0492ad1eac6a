"""Faults in a simulation: of a Task's function, or of events on their way."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.simulation.auto_scaling import refused
from tests.simulation.interpreter import Failure
from tests.simulation.virtual_time import VirtualTime

Kind = Literal["throttled", "permanent", "timeout", "crash", "unlisted"]


@dataclass
class Fault:
    """The behaviour of a Task's function the next `times` that it is called for that state.

    `throttled`: AWS refuses each of its calls; `permanent`: it fails for good; `timeout`: it hangs
    until its own timeout; `crash`: all that it does is done, and it dies before it answers;
    `unlisted`: Lambda answers with an error that no machine names.
    """

    machine: str
    state: str
    kind: Kind
    times: int = 2


@dataclass
class Delivery:
    """Faults of events: shares of 0 to 1, and seconds."""

    lost: float = 0.0
    doubled: float = 0.0
    late_s: float = 0.0


@dataclass
class Faults:
    """Everything that is wrong in a simulation at present; `met` counts the faulty calls."""

    tasks: list[Fault] = field(default_factory=list)
    delivery: Delivery = field(default_factory=Delivery)
    met: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    """The API calls made, by service and operation; of one that has pages, the pages."""
    throttling: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)
    """The calls per second that each operation of a service takes; of others there is no limit."""
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    duplicate: tuple[str, str] | None = None
    """The machine and state at which the execution's event comes a second time."""

    def doubles(self, machine: str, state: str) -> bool:
        """Whether the event is to come again now; once."""
        if self.duplicate != (machine, state):
            return False
        self.duplicate = None
        self.met += 1
        return True

    def of(self, machine: str, state: str) -> Fault | None:
        """The fault that is due in a state of a machine."""
        for fault in self.tasks:
            if (fault.machine, fault.state) == (machine, state) and fault.times > 0:
                fault.times -= 1
                self.met += 1
                return fault
        return None

    def call(
        self, fault: Fault | None, time: VirtualTime, timeout_s: float, act: Callable[[], Any]
    ) -> Any:
        """Call a function with a fault, or without."""
        match fault.kind if fault else None:
            case "permanent":
                raise Failure("Permanent", "a fault of this simulation")
            case "timeout":
                time.sleep(timeout_s)
                raise Failure("Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds")
            case "crash":
                act()
                raise Failure("Runtime.ExitError", "RequestId: request Error: Runtime exited")
            case "throttled":
                raise Failure("Throttled", "ThrottlingException: Rate exceeded")
            case "unlisted":
                raise Failure("Lambda.NobodyListedThisException", "Something new in Lambda")
        return act()

    def deliveries(self, event: Mapping[str, Any], draw: random.Random) -> list[float]:
        """The delays (seconds) after which an event is delivered; none for one that is lost."""
        if event["source"] == "aws.states":
            return [0.1]
        if draw.random() < self.delivery.lost:
            return []
        times = 2 if draw.random() < self.delivery.doubled else 1
        return [0.1 + draw.random() * self.delivery.late_s for _ in range(times)]

    def takes(self, service: str, operation: str, now: float) -> bool:
        """Whether an operation takes another call now: a bucket of its rate, filled by its rate.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html
        """
        rate = self.rates.get(service)
        if rate is None:
            return True
        left, at = self._left.get(f"{service}.{operation}", (rate, now))
        left = min(rate, left + (now - at) * rate)
        taken = left >= 1
        self._left[f"{service}.{operation}"] = (left - 1 if taken else left, now)
        return taken

    def client(
        self, service: str, twin: Any, pause: Callable[[], None], now: Callable[[], float]
    ) -> Any:
        """A client's twin whose calls take time, and are throttled by `throttling` and `rates`."""
        return _Client(self, service, twin, pause, now)


class _Client:
    def __init__(
        self,
        faults: Faults,
        service: str,
        twin: Any,
        pause: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._faults, self._service, self._twin = faults, service, twin
        self._pause, self._now = pause, now

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._twin, name)

        def made(*arguments: Any, **named: Any) -> Any:
            self._pause()
            self._faults.calls[f"{self._service}.{name}"] += name != "get_paginator"
            if self._faults.throttling > 0:
                self._faults.throttling -= 1
                raise refused(name, "ThrottlingException", "Rate exceeded")
            if not self._faults.takes(self._service, name, self._now()):
                raise refused(name, "ThrottlingException", "Rate exceeded")
            return call(*arguments, **named)

        return made
