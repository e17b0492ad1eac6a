"""Room at a hub's agent. It runs five commands at once, and a sixth waits its turn.

Twenty nodes that leave at once would fill that line, and an evacuation that has two minutes would
stand in it. So ordinary commands hold one of four slots while they are under way, and urgent ones
ask for none: there is always room for one of these. A slot that nobody gives back is free again
when its time is over.
https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html
"""

from typing import Protocol

ORDINARY = 4
# Longer than any manager command takes: 30 s to be delivered, 30 s to run.
HELD_S = 75


class HubSlots(Protocol):
    """The slots of every hub."""

    def take(self, hub: str, holder: str, now: int) -> int | None:
        """The number of a free slot, which `holder` has for 75 s from now; None without any."""

    def give_back(self, hub: str, number: int, holder: str) -> None:
        """The slot is free again, if the holder still has it."""
