"""How a group chooses the type of its next instance, and the instance that ends first.

Plain values in, plain values out. https://docs.aws.amazon.com/autoscaling/ec2/userguide/
allocation-strategies.html, ec2-auto-scaling-termination-policies.html
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LOWEST_PRICE = "lowest-price"
POLICIES = ("Default", "OldestInstance", "NewestInstance", "OldestLaunchTemplate")
"""The termination policies that are followed here, each alone."""


@dataclass(frozen=True)
class Distribution:
    """A group's purchases: instance types in their order, and the on-demand share."""

    types: tuple[str, ...]
    on_demand_base: int = 0
    on_demand_percentage: int = 100
    spot_pools: int = 1
    """Over how many types spot is spread."""

    @classmethod
    def of(cls, policy: Mapping[str, Any], template_type: str) -> "Distribution":
        """A MixedInstancesPolicy's, with the defaults that AWS documents for it."""
        overrides = policy.get("LaunchTemplate", {}).get("Overrides") or []
        given = policy.get("InstancesDistribution") or {}
        spread = given.get("SpotAllocationStrategy", LOWEST_PRICE) == LOWEST_PRICE
        return cls(
            types=tuple(o.get("InstanceType", template_type) for o in overrides)
            or (template_type,),
            on_demand_base=int(given.get("OnDemandBaseCapacity") or 0),
            on_demand_percentage=_or(given.get("OnDemandPercentageAboveBaseCapacity"), 100),
            spot_pools=_or(given.get("SpotInstancePools"), 2) if spread else 1,
        )

    def on_demand_of(self, capacity: int) -> int:
        """How many of so many instances are on demand; a fraction is rounded up."""
        base = min(self.on_demand_base, capacity)
        return base + math.ceil((capacity - base) * self.on_demand_percentage / 100)


@dataclass(frozen=True)
class Member:
    """An instance of a group, as far as choices go."""

    instance_id: str
    instance_type: str
    zone: str
    spot: bool
    in_service: bool = True
    template_version: int = 0


def purchases(
    distribution: Distribution, members: Sequence[Member], capacity: int
) -> tuple[int, int]:
    """How many instances to buy on demand and how many as spot, to come up to a capacity."""
    missing = max(0, capacity - len(members))
    have = sum(not member.spot for member in members)
    on_demand = min(missing, max(0, distribution.on_demand_of(capacity) - have))
    return on_demand, missing - on_demand


def type_to_buy(
    distribution: Distribution,
    members: Sequence[Member],
    *,
    spot: bool,
    lacks: Callable[[str], bool],
) -> str | None:
    """The first type that can be had, or of the first few that which has fewest spot instances.

    None when none can be had. The order of the types stands for their prices and capacities.
    """
    had = [kind for kind in distribution.types if not lacks(kind)]
    if not had:
        return None
    pools = had[: distribution.spot_pools] if spot else had[:1]
    counted = Counter(member.instance_type for member in members if member.spot)
    return min(pools, key=lambda kind: counted[kind])


def emptiest(places: Sequence[str], members: Sequence[Member], zones: Mapping[str, str]) -> str:
    """The subnet or zone whose zone has the fewest instances; the first of them."""
    counted = Counter(member.zone for member in members)
    return min(places, key=lambda place: counted[zones.get(place, place)])


def first_to_go(
    candidates: Sequence[Member],
    members: Sequence[Member],
    distribution: Distribution | None,
    policy: str,
) -> Member:
    """The one of `candidates` (oldest first, at least one) that a shrinking group ends.

    Those not yet in service after those that are: their hooks are busy. Then what the mix has too
    much of, then the fullest zone, then the policy.
    """
    left = [member for member in candidates if member.in_service] or list(candidates)
    if distribution is not None:
        have = sum(not member.spot for member in members)
        too_much = have > distribution.on_demand_of(len(members) - 1)
        left = [member for member in left if member.spot != too_much] or left
        # The fullest zone is that with the most instances of the market that goes.
        members = [member for member in members if member.spot == left[0].spot]
    counted = Counter(member.zone for member in members)
    most = max(counted[member.zone] for member in left)
    left = [member for member in left if counted[member.zone] == most]
    if policy == "NewestInstance":
        return left[-1]
    if policy in ("Default", "OldestLaunchTemplate"):
        return min(left, key=lambda member: member.template_version)
    return left[0]


def _or(value: Any, default: int) -> int:
    return default if value in (None, "") else int(value)
