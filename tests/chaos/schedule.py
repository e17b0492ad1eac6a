"""The plan of faults: random, and the same for the same seed."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its share among all faults, and how long it lasts (seconds).

    Of those with the same `channel` only one is on at a time. `cuts_off` says whether it may end
    the servers of the node that it hits.
    """

    name: str
    weight: int
    channel: str
    lasts_s: tuple[float, float] = (0, 0)
    at_node: bool = False
    cuts_off: bool = False


KINDS = (
    Kind("kill", 3, "kill", at_node=True, cuts_off=True),
    Kind("cut", 3, "cut", (10, 60), at_node=True, cuts_off=True),
    Kind("interrupt", 3, "interrupt", at_node=True, cuts_off=True),
    Kind("rebalance", 1, "rebalance", at_node=True),
    Kind("chef-stop", 2, "chef", (10, 45)),
    Kind("hub-restart", 2, "hub", (15, 15)),
    Kind("crash", 3, "functions", (20, 30)),
    Kind("throttle", 3, "throttling", (20, 30)),
    Kind("duplicate", 2, "events", (20, 40)),
    Kind("drop", 2, "events", (10, 20)),
)
BY_NAME = {kind.name: kind for kind in KINDS}

FIRST_S = 5.0
"""So long the class is left alone."""
GAP_S = 15.0
"""The mean time between two faults, as long as a channel is free."""


@dataclass(frozen=True)
class Fault:
    """A fault planned for `at_s` seconds after the start; `chance` (0 to 1) is for all that
    is chosen only then, such as the node among those that are there."""

    kind: Kind
    at_s: float
    lasts_s: float
    chance: float

    @property
    def until_s(self) -> float:
        return self.at_s + self.lasts_s


def planned_faults(seed: int, seconds: float) -> list[Fault]:
    """Plan the faults of so many seconds, in order; the same seed gives the same plan.

    The first is of each kind once, in an order by chance, so that each run that
    is long enough has every kind.
    """
    chance = random.Random(seed)  # noqa: S311
    free_at = {kind.channel: 0.0 for kind in KINDS}
    first_of_each = chance.sample(KINDS, len(KINDS))
    planned = []
    at = FIRST_S + chance.expovariate(1 / GAP_S)
    while at < seconds:
        kind = first_of_each[-1] if first_of_each else chance.choices(KINDS, _WEIGHTS)[0]
        lasts, share = chance.uniform(*kind.lasts_s), chance.random()
        if free_at[kind.channel] <= at:
            if first_of_each:
                first_of_each.pop()
            planned.append(Fault(kind, round(at, 1), round(lasts, 1), share))
            free_at[kind.channel] = at + lasts + 1
        at += chance.expovariate(1 / GAP_S)
    return planned


_WEIGHTS = [kind.weight for kind in KINDS]
