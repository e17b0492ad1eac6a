"""Faults of API calls: denied, throttled a number of times, or limited to a rate."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from labswarm_emulator.faults.fault import NoFault, an_action, names


@dataclass(frozen=True)
class DenialFaults:
    """The actions that are denied, as by IAM: `autoscaling:CompleteLifecycleAction`, or `s3:*`."""

    kind: ClassVar[str] = "denials"
    actions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names(self, "actions")
        for action in self.actions:
            an_action(f"{self.kind}.actions", action)

    def denies(self, action: str) -> bool:
        """Whether a call of this action is denied."""
        return any(fnmatchcase(action, denied) for denied in self.actions)


@dataclass(frozen=True)
class ThrottlingFaults:
    """How many calls of an action are throttled from now on: `{"ssm:SendCommand": 3}`.

    Every try of an SDK counts: it tries a throttled call again by itself.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """

    kind: ClassVar[str] = "throttling"
    calls: Mapping[str, int] = field(default_factory=dict)
    _left: dict[str, int] = field(init=False, repr=False, compare=False)
    _lock: Any = field(init=False, repr=False, compare=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if not isinstance(self.calls, Mapping):
            raise NoFault(f"{self.kind}.calls is a number for each action, not {self.calls!r}")
        for action, count in self.calls.items():
            an_action(f"{self.kind}.calls", action)
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise NoFault(f"{self.kind}.calls.{action} is a count from 1, not {count!r}")
        object.__setattr__(self, "_left", dict(self.calls))

    def throttles(self, action: str) -> bool:
        """Whether a call of this action is throttled; it counts."""
        with self._lock:
            for throttled, left in self._left.items():
                if left and fnmatchcase(action, throttled):
                    self._left[throttled] = left - 1
                    return True
        return False


@dataclass(frozen=True)
class RateFaults:
    """How many calls of an action per second AWS takes: `{"ssm:SendCommand": 10}`.

    A token bucket for each action holds the calls of one second, at least one; calls beyond are
    throttled. A pattern such as `ssm:*` gives each of its actions a bucket of its own.
    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
    """

    kind: ClassVar[str] = "rates"
    calls_per_s: Mapping[str, float] = field(default_factory=dict)
    _buckets: dict[str, tuple[float, float]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """Tokens left, and when (s of the emulator's clock), by action."""
    _lock: Any = field(init=False, repr=False, compare=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        where = f"{self.kind}.calls_per_s"
        if not isinstance(self.calls_per_s, Mapping):
            raise NoFault(f"{where} is a number for each action, not {self.calls_per_s!r}")
        for action, rate in self.calls_per_s.items():
            an_action(where, action)
            number = isinstance(rate, int | float) and not isinstance(rate, bool)
            if not number or not 0 < rate <= 1_000_000:
                raise NoFault(f"{where}.{action} is a number of calls above 0, not {rate!r}")

    def throttles(self, action: str, now_s: float) -> bool:
        """Take a call of this action at a time of the emulator's clock; say if it is throttled."""
        rate = next((r for a, r in self.calls_per_s.items() if fnmatchcase(action, a)), None)
        if rate is None:
            return False
        most = max(1.0, rate)
        with self._lock:
            tokens, at = self._buckets.get(action, (most, now_s))
            tokens = min(most, tokens + max(0.0, now_s - at) * rate)
            throttled = tokens < 1
            self._buckets[action] = (tokens if throttled else tokens - 1, now_s)
        return throttled
