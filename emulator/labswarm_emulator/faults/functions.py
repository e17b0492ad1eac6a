"""Faults of Lambda: crashes, functions that are idle for weeks, and the account's concurrency."""

import threading
from dataclasses import dataclass, field
from typing import ClassVar

from labswarm_emulator.faults.fault import ANY, NoFault, names, seconds, whole

ACTIVE, INACTIVE, PENDING = "Active", "Inactive", "Pending"


@dataclass(frozen=True)
class FunctionFaults:
    """Functions whose worker is killed, as by the end of its machine: Runtime.ExitError.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """

    kind: ClassVar[str] = "functions"
    crash: tuple[str, ...] = ()
    """The names of these functions; `*` is all."""
    when: str = "after"
    """`before` the handler has the event, or `after` it has returned and its work is done."""
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
        whole(f"{self.kind}.times", self.times)
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
class IdleFaults:
    """VPC functions that nobody invoked for weeks, so that Lambda took their network interfaces.

    The first invocation of each fails and has Lambda connect it again, which takes `pending_s`.
    Until then its invocations fail too.
    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """

    kind: ClassVar[str] = "idle"
    functions: tuple[str, ...] = ()
    """The names of these functions; `*` is all that have a VPC."""
    pending_s: float = 90.0
    """How long a function is Pending (scaled)."""
    _invoked_at: dict[str, float] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _lock: threading.Lock = field(
        init=False, repr=False, compare=False, default_factory=threading.Lock
    )

    def __post_init__(self) -> None:
        names(self, "functions")
        seconds(self.kind, "pending_s", self.pending_s)

    def state(self, function: str, now_s: float) -> str:
        """Return the State of a function with a VPC at a time of the emulator's clock."""
        if ANY not in self.functions and function not in self.functions:
            return ACTIVE
        with self._lock:
            invoked_at = self._invoked_at.get(function)
        if invoked_at is None:
            return INACTIVE
        return PENDING if now_s < invoked_at + self.pending_s else ACTIVE

    def invoked(self, function: str, now_s: float) -> str:
        """Return the State that an invocation meets; an Inactive function is Pending after it."""
        met = self.state(function, now_s)
        if met == INACTIVE:
            with self._lock:
                self._invoked_at.setdefault(function, now_s)
        return met


@dataclass(frozen=True)
class ConcurrencyFaults:
    """The account's limit of concurrent Lambda events, below what the emulator started with.

    New accounts have 10.
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    kind: ClassVar[str] = "concurrency"
    account: int | None = None
    """How many events of all functions run at once."""

    def __post_init__(self) -> None:
        if self.account is not None:
            whole(f"{self.kind}.account", self.account)

    def limit(self, usual: int) -> int:
        """Return the limit that is in force; `usual` without this fault."""
        return usual if self.account is None else min(usual, self.account)
