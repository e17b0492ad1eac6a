"""HubSlots in memory: the twin of the table, held to the same contract suite."""

from labswarm.commands.hub_slots import HELD_S, ORDINARY


class MemoryHubSlots:
    """Implements labswarm.commands.hub_slots.HubSlots for one process."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], tuple[str, int]] = {}

    def take(self, hub: str, holder: str, now: int) -> int | None:
        for number in range(ORDINARY):
            there = self._held.get((hub, number))
            if there is None or there[1] <= now:
                self._held[hub, number] = (holder, now + HELD_S)
                return number
        return None

    def give_back(self, hub: str, number: int, holder: str) -> None:
        if self._held.get((hub, number), ("", 0))[0] == holder:
            del self._held[hub, number]
