"""Faults of EC2: instances that it cannot start, or does not end."""

from dataclasses import dataclass
from typing import ClassVar

from labswarm_emulator.faults.fault import ANY, names


@dataclass(frozen=True)
class TerminationFaults:
    """The instances that EC2 does not end when their group asks for it; `*` is all."""

    kind: ClassVar[str] = "termination"
    instances: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names(self, "instances")

    def fails(self, instance_id: str) -> bool:
        """Whether EC2 fails to end this instance now."""
        return ANY in self.instances or instance_id in self.instances


@dataclass(frozen=True)
class CapacityFaults:
    """The instance types that EC2 has run out of, as spot or on demand; `*` is all.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html
    """

    kind: ClassVar[str] = "capacity"
    spot: tuple[str, ...] = ()
    on_demand: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names(self, "spot")
        names(self, "on_demand")

    def lacks(self, instance_type: str, *, spot: bool) -> bool:
        """Whether an instance of this type cannot be had now."""
        gone = self.spot if spot else self.on_demand
        return ANY in gone or instance_type in gone
