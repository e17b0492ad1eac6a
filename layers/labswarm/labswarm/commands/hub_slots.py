"""Room at a hub's agent. It runs five commands at once, and a sixth waits its turn.

Twenty nodes that leave at once would fill that line, and an evacuation that has two minutes would
stand in it. So ordinary commands hold one of four slots while they are under way, and urgent ones
ask for none: there is always room for one of these. A slot that nobody gives back is free again
when its time is over.
https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from labswarm.clock import Clock, backoff
from labswarm.errors import Transient

ORDINARY = 4
# Longer than any manager command takes: 30 s to be delivered, 30 s to run.
HELD_S = 75


class HubSlots(Protocol):
    """The slots of every hub."""

    def take(self, hub: str, holder: str, now: int) -> int | None:
        """The number of a free slot, which `holder` has for 75 s from now; None without any."""

    def give_back(self, hub: str, number: int, holder: str) -> None:
        """The slot is free again, if the holder still has it."""


@dataclass
class HubSlot:
    """A slot, for as long as this context lasts."""

    slots: HubSlots
    hub: str
    holder: str
    number: int
    kept: bool = False

    def keep(self) -> None:
        """The command is still under way after this context: the slot is free in its own time."""
        self.kept = True

    def __enter__(self) -> "HubSlot":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.kept:
            self.slots.give_back(self.hub, self.number, self.holder)


def hub_slot(slots: HubSlots, clock: Clock, hub: str, holder: str, patience_s: float) -> HubSlot:
    """Wait for a slot. Raises Transient when there is none after `patience_s` seconds."""
    for _ in backoff(clock, patience_s):
        number = slots.take(hub, holder, int(clock.now()))
        if number is not None:
            return HubSlot(slots, hub, holder, number)
    raise Transient(f"{ORDINARY} commands are under way on {hub}")
