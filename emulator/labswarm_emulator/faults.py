"""Faults that are injected at run time.

A kind of fault is one frozen dataclass, whose defaults mean that nothing is wrong, listed in KINDS.
A part of the emulator asks for its kind where it matters, `emulator.faults.on(EventFaults).loss`,
each time; the control API sets, shows and clears them (`control_api`).
"""

import dataclasses
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Protocol, TypeVar

from labswarm_emulator import actions

ANY = "*"


class NoFault(ValueError):
    """The request is not a fault of the emulator; the message says why."""


class Fault(Protocol):
    """One kind of fault: a frozen dataclass that refuses bad values with NoFault."""

    kind: ClassVar[str]

    def __init__(self, **settings: Any) -> None: ...


F = TypeVar("F", bound=Fault)


@dataclass(frozen=True)
class EventFaults:
    """Faults of the deliveries of EventBridge's rules, schedules included.

    AWS delivers at least once and in no order, and most events of its services on best effort.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html
    """

    kind: ClassVar[str] = "events"
    loss: float = 0.0
    """The share of deliveries that never come, 0 to 1."""
    duplicates: float = 0.0
    """The share of deliveries that come twice, 0 to 1."""
    reordered: float = 0.0
    """The share of deliveries held back for `held_s` s, so that later ones overtake, 0 to 1."""
    held_s: float = 10.0
    delay_s: float = 0.0
    """Every delivery comes so many seconds later (scaled)."""
    detail_types: tuple[str, ...] = ()
    """Only events with one of these detail-types; with none named, all."""
    seed: int | None = None
    """Makes the same choices again, for the same deliveries in the same order."""
    _chance: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("loss", "duplicates", "reordered"):
            share(self.kind, name, getattr(self, name))
        for name in ("held_s", "delay_s"):
            seconds(self.kind, name, getattr(self, name))
        names(self, "detail_types")
        if self.seed is not None and not isinstance(self.seed, int):
            raise NoFault(f"{self.kind}.seed is a whole number, not {self.seed!r}")
        object.__setattr__(self, "_chance", random.Random(self.seed))  # noqa: S311

    def deliveries(self, detail_type: str) -> list[float]:
        """How many seconds from now each copy of a delivery comes: none, one or two of them."""
        if self.detail_types and detail_type not in self.detail_types:
            return [0.0]
        if self._chance.random() < self.loss:
            return []
        copies = 2 if self._chance.random() < self.duplicates else 1
        return [self._late_s() for _ in range(copies)]

    def _late_s(self) -> float:
        held = self._chance.random() < self.reordered
        return self.delay_s + (self.held_s if held else 0.0)


@dataclass(frozen=True)
class TerminationFaults:
    """The instances that EC2 does not end when their group asks for it; `*` is all."""

    kind: ClassVar[str] = "termination"
    instances: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names(self, "instances")

    def fails(self, instance_id: str) -> bool:
        """Whether EC2 fails to end this instance now."""
        return ANY in self.instances or instance_id in self.instances


@dataclass(frozen=True)
class CapacityFaults:
    """The instance types of which EC2 has none left, bought as spot or on demand; `*` is all.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html
    """

    kind: ClassVar[str] = "capacity"
    spot: tuple[str, ...] = ()
    on_demand: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names(self, "spot")
        names(self, "on_demand")

    def lacks(self, instance_type: str, *, spot: bool) -> bool:
        """Whether an instance of this type cannot be had now."""
        gone = self.spot if spot else self.on_demand
        return ANY in gone or instance_type in gone


@dataclass(frozen=True)
class FunctionFaults:
    """Functions whose worker is killed, as by the end of its machine: Runtime.ExitError.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """

    kind: ClassVar[str] = "functions"
    crash: tuple[str, ...] = ()
    """The names of these functions; `*` is all."""
    when: str = "after"
    """`before` the handler has the event, or `after` it has returned: its work stays done."""
    times: int = 1
    """How many invocations crash, of all these functions together; later ones do not."""
    _left: list[int] = field(init=False, repr=False, compare=False)
    _lock: threading.Lock = field(
        init=False, repr=False, compare=False, default_factory=threading.Lock
    )

    def __post_init__(self) -> None:
        names(self, "crash")
        if self.when not in ("before", "after"):
            raise NoFault(f"{self.kind}.when is before or after, not {self.when!r}")
        if isinstance(self.times, bool) or not isinstance(self.times, int) or self.times < 1:
            raise NoFault(f"{self.kind}.times is a whole number from 1, not {self.times!r}")
        object.__setattr__(self, "_left", [self.times])

    def crash_of(self, function: str) -> str | None:
        """When this invocation of the function crashes, which counts as one; None: it does not."""
        if ANY not in self.crash and function not in self.crash:
            return None
        with self._lock:
            if self._left[0] == 0:
                return None
            self._left[0] -= 1
        return self.when


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


KINDS: tuple[type[Fault], ...] = (
    EventFaults,
    CapacityFaults,
    TerminationFaults,
    FunctionFaults,
    DenialFaults,
    ThrottlingFaults,
)


class Faults:
    """The faults that are on; safe to use from many threads."""

    def __init__(self, kinds: tuple[type[Fault], ...] = KINDS) -> None:
        self._kinds = {kind.kind: kind for kind in kinds}
        self._on: dict[str, Fault] = {}
        self._lock = threading.Lock()

    def on(self, kind: type[F]) -> F:
        """The faults of one kind; its defaults, with which nothing is wrong, when it is off."""
        with self._lock:
            found = self._on.get(kind.kind)
        return found if isinstance(found, kind) else kind()

    def put(self, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Switch a kind on, in place of its earlier settings, and return them. Raises NoFault."""
        made = self._kind(kind)
        known = [f.name for f in _fields(made)]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise NoFault(f"{kind} has no {unknown[0]}: it has {', '.join(known)}")
        fault = made(**settings)
        with self._lock:
            self._on[kind] = fault
        return _settings(fault)

    def clear(self, kind: str | None = None) -> None:
        """Switch one kind off, or all; off already is no error. Raises NoFault."""
        if kind is not None:
            self._kind(kind)
        with self._lock:
            for name in [kind] if kind is not None else list(self._on):
                self._on.pop(name, None)

    def shown(self) -> dict[str, dict[str, Any]]:
        """The settings of each kind that is on."""
        with self._lock:
            return {kind: _settings(fault) for kind, fault in self._on.items()}

    def settings(self, kind: str) -> dict[str, Any]:
        """The settings of a kind as they are; its defaults when it is off. Raises NoFault."""
        return _settings(self.on(self._kind(kind)))

    def _kind(self, kind: str) -> type[Fault]:
        if kind not in self._kinds:
            raise NoFault(f"no fault is called {kind}: there are {', '.join(self._kinds)}")
        return self._kinds[kind]


def share(kind: str, name: str, value: object) -> None:
    """Refuse what is no number from 0 to 1. Raises NoFault."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NoFault(f"{kind}.{name} is a share from 0 to 1, not {value!r}")


def seconds(kind: str, name: str, value: object) -> None:
    """Refuse what is no number of seconds up to a day. Raises NoFault."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise NoFault(f"{kind}.{name} is a time from 0 to 86400 s, not {value!r}")


def an_action(where: str, action: object) -> None:
    """Refuse what is no action that the emulator can be asked for. Raises NoFault."""
    if not any(fnmatchcase(known, str(action)) for known in actions.known()):
        raise NoFault(f"{where} has {action!r}: an action is like ssm:SendCommand, or ssm:*")


def names(fault: Fault, name: str) -> None:
    """Keep a list of texts as a tuple. Raises NoFault for anything else."""
    value = getattr(fault, name)
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise NoFault(f"{fault.kind}.{name} is a list of texts, not {value!r}")
    object.__setattr__(fault, name, tuple(value))


def _fields(kind: Any) -> list[Any]:
    return [f for f in dataclasses.fields(kind) if f.init]


def _settings(fault: Fault) -> dict[str, Any]:
    return {f.name: getattr(fault, f.name) for f in _fields(fault)}
