"""Faults that are switched on at run time, by the control API (`control_api`).

A kind of fault is a frozen dataclass in KINDS. Its defaults mean that nothing is wrong. A part of
the emulator reads its kind each time that it matters: `emulator.faults.on(EventFaults).loss`.
"""

import dataclasses
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

from labswarm_emulator.faults.account import AgentFaults, QuotaFaults
from labswarm_emulator.faults.calls import DenialFaults, RateFaults, ThrottlingFaults
from labswarm_emulator.faults.events import EventFaults
from labswarm_emulator.faults.fault import Fault, NoFault
from labswarm_emulator.faults.functions import ConcurrencyFaults, FunctionFaults, IdleFaults
from labswarm_emulator.faults.instances import CapacityFaults, TerminationFaults

__all__ = [
    "KINDS",
    "AgentFaults",
    "CapacityFaults",
    "ConcurrencyFaults",
    "DenialFaults",
    "EventFaults",
    "Fault",
    "Faults",
    "FunctionFaults",
    "IdleFaults",
    "NoFault",
    "QuotaFaults",
    "RateFaults",
    "TerminationFaults",
    "ThrottlingFaults",
]

F = TypeVar("F", bound=Fault)

KINDS: tuple[type[Fault], ...] = (
    EventFaults,
    CapacityFaults,
    TerminationFaults,
    FunctionFaults,
    IdleFaults,
    ConcurrencyFaults,
    DenialFaults,
    ThrottlingFaults,
    RateFaults,
    QuotaFaults,
    AgentFaults,
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
        """Switch a kind on, replace its settings, and return them. Raises NoFault."""
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


def _fields(kind: Any) -> list[Any]:
    return [f for f in dataclasses.fields(kind) if f.init]


def _settings(fault: Fault) -> dict[str, Any]:
    return {f.name: getattr(fault, f.name) for f in _fields(fault)}
