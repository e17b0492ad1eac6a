"""AZRebalance: a group that became unbalanced over its zones moves an instance, one at a time.

It launches in the emptiest zone, and ends one of the fullest once the new one is in service.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html
"""

from collections import Counter

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.models import InstanceState as GroupInstance

from labswarm_emulator.autoscaling.activities import now
from labswarm_emulator.autoscaling.groups import Groups
from labswarm_emulator.autoscaling.launching import member
from labswarm_emulator.autoscaling.processes import suspended
from labswarm_emulator.autoscaling.states import counted

NEEDED = ("AZRebalance", "Launch", "Terminate")
LAUNCHED = "an instance was launched to aid in balancing the group's zones."
ENDED = (
    "instances were launched to balance instances in zones with other zones resulting in more "
    "than desired number of instances in the group."
)


class Zones:
    """Looks after the balance of the groups."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._instead: dict[str, tuple[GroupInstance, GroupInstance]] = {}  # by group: new and old

    def rebalance(self, backend: AutoScalingBackend) -> None:
        """Begin or end a move in each group; to be called each minute."""
        with self._groups.lock:
            for group in backend.autoscaling_groups.values():
                if group.name in self._instead:
                    self._end_move(group)
                elif not any(suspended(group, process) for process in NEEDED):
                    self._begin_move(group)

    def _begin_move(self, group: FakeAutoScalingGroup) -> None:
        instances = counted(group)
        at_rest = all(i.lifecycle_state == "InService" for i in group.instance_states)
        if not at_rest or len(instances) != group.desired_capacity:
            return
        filled = Counter(instance.availability_zone for instance in instances)
        counts = {zone: filled[zone] for zone in group.availability_zones}
        if max(counts.values()) - min(counts.values()) < 2:
            return
        fullest = max(counts, key=lambda zone: counts[zone])
        movable = [
            instance
            for instance in instances
            if instance.availability_zone == fullest and not instance.protected_from_scale_in
        ]
        if not movable:
            return
        spot = member(movable[0]).spot
        new = self._groups.add(group, f"At {now()} {LAUNCHED}", spot=spot)
        if new is not None:
            self._instead[group.name] = new, movable[0]

    def _end_move(self, group: FakeAutoScalingGroup) -> None:
        """Unless the group has shrunk by itself meanwhile, or lost one of the two."""
        new, old = self._instead[group.name]
        instances = counted(group)
        if new in instances and new.lifecycle_state != "InService":
            return
        del self._instead[group.name]
        spare = len(instances) > group.desired_capacity
        if spare and old in instances and not old.protected_from_scale_in:
            self._groups.terminate(group, old, f"At {now()} {ENDED}")
