"""How a group's instances are bought: EC2's refusals, and the purchases on demand for a booked lab
that cannot have spot instances. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from labswarm.groups import Mix

RECENT_S = 600
"""How long a refusal explains why instances are missing (seconds). A group tries again every few
minutes."""
# The codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
# The texts: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html
_REFUSED = re.compile(
    r"Could not launch (Spot|On-Demand) Instances\. (?:UnfulfillableCapacity|"
    r"InsufficientInstanceCapacity|MaxSpotInstanceCountExceeded|VcpuLimitExceeded)\b"
)


_ONE_TRY_S = 10
"""Refusals that are this close together (seconds) are of one try for several instances."""


class Market(StrEnum):
    """How an instance is bought."""

    SPOT = "spot"
    ON_DEMAND = "on-demand"


@dataclass(frozen=True, order=True)
class Refusal:
    """A launch that EC2 refused for want of capacity or by a quota, at `at` (epoch seconds)."""

    at: float
    market: Market


@dataclass(frozen=True)
class Bought:
    """A group's instances by market, and the markets that refuse more.

    `refused`: EC2 has lately refused an instance of this market, for want of capacity or by a
    quota, and lab hours have seen refusals since `refused_since` (epoch seconds). The group tries
    again at about `next_try_at` (epoch seconds; 0 while that is not known). `instances` are the
    group's instances on demand, by id. `own_base` is the on-demand base that the group had before
    lab hours raised it; None when they have not.
    """

    refused: Market | None = None
    refused_since: float = 0
    instances: frozenset[str] = frozenset()
    own_base: int | None = None
    next_try_at: float = 0

    @property
    def on_demand(self) -> int:
        """How many of the group's instances are on demand."""
        return len(self.instances)


class Purchases(Protocol):
    """EC2's answers to a group that buys instances."""

    def refusals(self, asg: str, since: float) -> tuple[Refusal, ...]:
        """The refused launches that began since then (epoch seconds), the oldest first."""

    def on_demand(self, asg: str) -> frozenset[str]:
        """The group's instances on demand, by id; ended ones may be among them."""


def refusal(message: str) -> Market | None:
    """Return the market that a scaling activity's message says EC2 refused; None for any other
    reason."""
    match = _REFUSED.match(message)
    return Market(match.group(1).lower()) if match else None


def next_try_at(refusals: Sequence[Refusal]) -> float:
    """Return when a group with these refusals, the oldest first, tries again (epoch seconds).

    It is taken to wait as long as before its last try, because AWS does not document its pauses.
    0 after a single try.
    """
    times = [one.at for one in refusals]
    tries = [
        at for before, at in zip([0.0, *times], times, strict=False) if at - before > _ONE_TRY_S
    ]
    return 2 * tries[-1] - tries[-2] if len(tries) > 1 else 0


def lowest_base(mix: Mix, own: int, on_demand: int, nodes: int) -> int:
    """Return the lowest on-demand base, `own` or higher, at which so many of the nodes are on
    demand, or more.

    A base that is as high as the instances on demand leaves Auto Scaling nothing to replace, which
    it may do when a group's purchases differ from its policy:
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    """
    highest = max(own, min(on_demand, nodes))
    return next(
        base
        for base in range(own, highest + 1)
        if base == highest or Mix(base, mix.percent).on_demand(nodes) >= on_demand
    )
