"""Target tracking's arithmetic: from a metric's value to the capacity that brings it to the target.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One policy's view: its metric's latest value, and the states of its two alarms."""

    policy: str
    target: float
    value: float | None
    high: bool
    low: bool
    scales_in: bool
    """False when the policy only scales out."""


@dataclass(frozen=True)
class Change:
    """A capacity, the policy that wants it, and whether its high alarm asked for it."""

    capacity: int
    policy: str
    high: bool


def change(
    readings: Sequence[Reading], desired: int, *, in_service: int, warming: bool
) -> Change | None:
    """The desired capacity by the policies of a group; None leaves it.

    The one that wants most wins. It shrinks only when each policy that may shrink it wants that,
    and while nothing warms up. `in_service` are the instances that are through with their warm-up.
    """
    more = [
        Change(_wanted(reading, in_service), reading.policy, high=True)
        for reading in readings
        if reading.high and reading.value is not None
    ]
    largest = max(more, key=lambda one: one.capacity, default=None)
    if largest is not None:
        return largest if largest.capacity > desired else None
    shrinking = [reading for reading in readings if reading.scales_in]
    ready = all(reading.low and reading.value is not None for reading in shrinking)
    if not shrinking or not ready or warming:
        return None
    fewer = [Change(_wanted(r, in_service), r.policy, high=False) for r in shrinking]
    least = max(fewer, key=lambda one: one.capacity)
    return least if least.capacity < desired else None


def _wanted(reading: Reading, in_service: int) -> int:
    return math.ceil(in_service * (reading.value or 0.0) / reading.target)
