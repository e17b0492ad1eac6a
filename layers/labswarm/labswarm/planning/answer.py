"""The answer to a plan: data, which the command, the page and the mail render."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from labswarm.planning.cluster import Prices
from labswarm.planning.costs import Cost
from labswarm.planning.limits import Bound
from labswarm.planning.world import Sample

VERSION = 1
LONGEST_SAMPLE_S = 150.0
"""The longest time that a sample stands for (seconds): there is none of a minute without a node."""
LATE_S = 60.0
"""A class is late when one in twenty of its students waits longer than this (seconds)."""

Verdict = Literal["yes", "late", "no"]


@dataclass(frozen=True)
class Waits:
    """How long students wait, from the click to the server's first answer (seconds)."""

    p50_s: float
    p95_s: float
    worst_s: float

    @classmethod
    def of(cls, waits_s: Sequence[float]) -> "Waits":
        """The percentiles by nearest rank; zeros without a student."""
        return cls(percentile(waits_s, 0.5), percentile(waits_s, 0.95), percentile(waits_s, 1))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True)
class Use:
    """The most nodes at once during a lab, and its hours of nodes and of seats."""

    nodes: int
    node_hours: float
    seat_hours: float

    @classmethod
    def of(cls, samples: Sequence[tuple[float, int, int]], starts: float, ends: float) -> "Use":
        """Return the use from `starts` to `ends` (epoch seconds) by samples: the time, the nodes
        and the servers. A sample counts until the next one, for 150 s at most."""
        nodes_s = seats_s = 0.0
        for (at, nodes, servers), (until, _, _) in zip(
            samples, [*samples[1:], (ends, 0, 0)], strict=True
        ):
            lasted_s = min(until, at + LONGEST_SAMPLE_S, ends) - max(at, starts)
            if lasted_s > 0:
                nodes_s += lasted_s * nodes
                seats_s += lasted_s * servers
        most = max((nodes for at, nodes, _ in samples if starts <= at < ends), default=0)
        return cls(most, nodes_s / 3600, seats_s / 3600)


@dataclass(frozen=True)
class Replayed:
    """A class that was planned again: its use as it was recorded, and as it is simulated."""

    recorded: Use
    simulated: Use


@dataclass(frozen=True)
class LabAnswer:
    """The answer for one lab. Times are epoch seconds.

    `served` of its `students` get a server. `asked_from` is when its nodes are first asked for,
    None where the cluster has enough. `moved` counts the servers that a spot loss moves.
    """

    name: str
    starts: float
    ends: float
    booked: bool
    students: int
    served: int
    waits: Waits
    asked_from: float | None
    moved: int
    cost: Cost


@dataclass(frozen=True)
class Answer:
    """The answer for a timetable.

    `verdict` is yes; late: everyone gets a server, and some wait for long; or no. `fits` is how
    many of the `students` that are there at once the cluster has a seat for. `limit` is the limit
    that binds first, None when none does; `remedies` are sentences, the most urgent first.
    `not_checked` names the limits whose values are not known. `ended_by_scale_in` counts servers
    that the cluster ended to become smaller. `recorded` are the waits of a class that was, where
    one is planned again, and `replayed` its use where the cluster's own history has it.
    """

    cluster: str
    verdict: Verdict
    headline: str
    students: int
    fits: int
    limit: Bound | None
    remedies: tuple[str, ...]
    labs: tuple[LabAnswer, ...]
    waits: Waits
    nodes: int
    seats_per_node: int
    instance_type: str
    asked_from: float | None
    lost_nodes: int
    moved: int
    ended_by_scale_in: int
    cost: Cost
    prices: Prices | None
    samples: tuple[Sample, ...]
    assumed: tuple[str, ...]
    not_checked: tuple[str, ...]
    seed: int
    recorded: Waits | None = None
    replayed: Replayed | None = None
    version: int = VERSION

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON values, with the cost of a seat hour."""
        values = asdict(self)
        for cost, one in zip(
            [values["cost"], *(lab["cost"] for lab in values["labs"])],
            [self.cost, *(lab.cost for lab in self.labs)],
            strict=True,
        ):
            cost["usd_per_seat_hour"] = one.usd_per_seat_hour
        return values
