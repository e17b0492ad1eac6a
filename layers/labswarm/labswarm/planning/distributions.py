"""The times that a simulation draws: measured, or assumed."""

import math
import random
from dataclasses import dataclass, field

_P95 = 1.6448536269514722
"""The 95th percentile of the normal distribution, in standard deviations."""


@dataclass(frozen=True)
class LogNormal:
    """Half of the draws are at most `median_s`, 95 of 100 at most `p95_s`: log-normal, as waits in
    queues about are. Raises ValueError for a negative median, or a p95 below it."""

    median_s: float
    p95_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.median_s <= self.p95_s:
            raise ValueError(f"no duration: median {self.median_s} s, p95 {self.p95_s} s")

    def drawn(self, chance: random.Random) -> float:
        if self.median_s in (0, self.p95_s):
            return self.median_s
        sigma = math.log(self.p95_s / self.median_s) / _P95
        return self.median_s * math.exp(chance.gauss(0, sigma))


@dataclass(frozen=True)
class Measured:
    """One of the durations that were measured, each as likely as the others; at least one."""

    samples_s: tuple[float, ...]

    def drawn(self, chance: random.Random) -> float:
        return chance.choice(self.samples_s)


Duration = LogNormal | Measured
"""A time that varies (seconds)."""


def always(seconds: float) -> LogNormal:
    """A duration that does not vary."""
    return LogNormal(seconds, seconds)


@dataclass(frozen=True)
class Shortage:
    """A time (epoch seconds) in which EC2 has no spot instances: in none of the group's zones, or
    in all but `zones_left` of 3 of them. A launch that meets it is tried again in another zone, a
    minute later."""

    begins: float
    ends: float
    zones_left: int = 0


@dataclass(frozen=True)
class Distributions:
    """The durations of a cluster, and how often it loses spot instances.

    `node_start`: from a node's launch until it is open. `spawn`: from a seat to the server's first
    answer. `decision`: from a student in line, or a minute, to the change that lab hours decide.
    `node_end`: from the end of an empty node until AWS has terminated it. `spot_losses_per_hour`
    is the expected number of warnings per spot instance and hour. `measured_starts_s` are the
    node starts in the cluster's ledger, the newest last.
    """

    node_start: Duration
    spawn: Duration = field(default_factory=lambda: LogNormal(4, 8))
    decision: Duration = field(default_factory=lambda: LogNormal(2, 6))
    node_end: Duration = field(default_factory=lambda: LogNormal(60, 90))
    spot_losses_per_hour: float = 0.0
    shortages: tuple[Shortage, ...] = ()
    measured_starts_s: tuple[float, ...] = ()
