"""The Auto Scaling groups: which instances they have, and how large they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

IN_SERVICE = "InService"


@dataclass(frozen=True)
class Member:
    """An instance's place in a group; `state` is its lifecycle state, such as InService."""

    asg: str
    state: str

    @property
    def leaving(self) -> bool:
        """Whether it no longer counts for the group's capacity."""
        return self.state.startswith("Terminat")


@dataclass(frozen=True)
class Size:
    """How many instances a group is to have, and may have."""

    desired: int
    most: int


@dataclass(frozen=True)
class Roster:
    """A group's desired capacity, and the lifecycle state of every instance that it has."""

    desired: int
    states: Mapping[str, str]


@dataclass(frozen=True)
class Mix:
    """A group's purchases: `base` instances are on demand, and so are `percent` of the others,
    rounded up.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html
    """

    base: int
    percent: int

    def on_demand(self, nodes: int) -> int:
        """How many of this many nodes are on demand."""
        above = max(0, nodes - self.base)
        return min(nodes, self.base) + -(-above * self.percent // 100)


@dataclass(frozen=True)
class Group:
    """The workers' Auto Scaling group: its sizes, and which instances are in service.

    `held`: a person holds its size by hand, so lab hours decide nothing for it. `versions` maps
    each instance to the version of the group's launch template that it was launched from; 0 for
    another template. `pending` are launched and not in service yet. `mix` is None for a group
    without a mixed instances policy.
    """

    desired: int
    least: int
    most: int
    in_service: frozenset[str]
    held: bool = False
    versions: Mapping[str, int] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()
    mix: Mix | None = None

    @property
    def missing(self) -> int:
        """How many instances of its desired capacity are not launched yet."""
        return max(0, self.desired - len(self.in_service) - len(self.pending))


class ReadGroups(Protocol):
    """Where lab hours read a group."""

    def view(self, asg: str) -> Group:
        """The group as lab hours see it. Raises Permanent when there is no such group."""


class Groups(ReadGroups, Protocol):
    """Auto Scaling groups."""

    def member(self, instance_id: str) -> Member | None:
        """The instance's place in its group; None when it is in none."""

    def size(self, asg: str) -> Size:
        """The group's size. Raises Permanent when there is no such group."""

    def roster(self, asg: str) -> Roster:
        """The group with every instance. Raises Permanent when there is no such group."""

    def resize(self, asg: str, desired: int) -> None:
        """Set the group's desired capacity."""

    def buy_on_demand(self, asg: str, base: int) -> bool:
        """Set how many of the group's instances are on demand before any is spot.

        False, and nothing changed, when that is so already. Raises Permanent for a group without a
        mixed instances policy.
        """

    def terminate(self, instance_id: str) -> None:
        """Begin the instance's termination and have its group replace it at once."""

    def shrink(self, instance_id: str) -> bool:
        """Begin the instance's termination and make its group one smaller.

        False, and nothing begun, when the group does not allow it: it is at its minimum, or the
        instance is not in it.
        """


def template_of(group: Mapping[str, Any]) -> Mapping[str, Any]:
    """The launch template that a described group launches from, and in which version; empty where
    there is none."""
    policy = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    found: Mapping[str, Any] = policy.get("LaunchTemplateSpecification") or group.get(
        "LaunchTemplate", {}
    )
    return found


def version_of(instance: Mapping[str, Any], template: Mapping[str, Any]) -> int:
    """The version of its group's launch template that an instance was made of; 0 where it was made
    of another one."""
    own = instance.get("LaunchTemplate", {})
    number = str(own.get("Version", ""))
    same = own.get("LaunchTemplateId") == template.get("LaunchTemplateId")
    return int(number) if same and number.isdecimal() else 0
