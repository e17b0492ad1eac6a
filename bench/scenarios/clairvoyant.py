"""The bill of a cluster that knows the future: less is not possible with the same start times."""

import itertools
from collections.abc import Sequence

from labswarm.planning.students import Student


def node_hours(students: Sequence[Student], seats: int, start_s: float, end_s: float) -> float:
    """Return the node hours that seat every student at once, and end no server.

    The n-th node is needed while there are over (n - 1) * seats servers. It is paid for from its
    start on, `start_s` before, until its end, `end_s` after, and stays through a pause that is
    shorter than both. Servers may change nodes here, so this is a lower bound.
    """
    changes = sorted(
        [(student.arrives, 1) for student in students]
        + [(student.stops, -1) for student in students]
    )
    needed: list[list[tuple[float, float]]] = []
    since: list[float] = []
    there = 0
    for at, change in changes:
        there += change
        nodes = -(-there // seats)
        while len(since) < nodes:
            since.append(at)
            if len(needed) < len(since):
                needed.append([])
        while len(since) > nodes:
            needed[len(since) - 1].append((since.pop(), at))
    return sum(_paid_s(periods, start_s + end_s) for periods in needed) / 3600


def _paid_s(periods: Sequence[tuple[float, float]], around_s: float) -> float:
    """The seconds of one node that runs in these periods."""
    pauses = [begins - ends for (_, ends), (begins, _) in itertools.pairwise(periods)]
    worked = sum(ends - begins for begins, ends in periods)
    return worked + around_s + sum(min(pause, around_s) for pause in pauses)
