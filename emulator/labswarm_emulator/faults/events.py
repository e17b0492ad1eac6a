"""Faults of EventBridge's deliveries."""

import random
from dataclasses import dataclass, field
from typing import ClassVar

from labswarm_emulator.faults.fault import NoFault, names, seconds, share


@dataclass(frozen=True)
class EventFaults:
    """Lost, doubled, late or reordered deliveries of EventBridge's rules, schedules included.

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
