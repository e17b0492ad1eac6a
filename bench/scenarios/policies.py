"""Other ways to size a cluster, as their documentation describes them, over the same world.

Each is helped where a comparison is hard: servers are packed as labswarm packs them, a change takes
as long as labswarm's, and nobody has to pull an image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from labswarm.lab_hours.purchases import Refusal
from labswarm.planning.policy import LabHoursPolicy
from labswarm.planning.world import Action, Node, World

BUSY = 0.6
"""The CPU of a full node while its students work; an assumption that favours target tracking: with
less it starts later."""
TARGET = 0.4
OUT_S, IN_S = 180.0, 900.0
"""Target tracking's alarms: three minutes above the target, fifteen below 90 % of it.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html"""
CA_UNNEEDED_S = 600.0
"""The Cluster Autoscaler's scale-down-unneeded-time.
https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md"""
KARPENTER_EMPTY_S = 60.0
"""Karpenter's consolidateAfter for empty nodes, as its examples have it.
https://karpenter.sh/docs/concepts/disruption/"""


class SpotOnly(LabHoursPolicy):
    """Lab hours that do not learn of a refusal, and so buy nothing on demand."""

    def refusals(self, asg: str, since: float) -> tuple[Refusal, ...]:  # noqa: ARG002
        return ()


def nothing(_world: World) -> Sequence[Action]:
    """One size for ever, as of one big machine."""
    return ()


@dataclass
class Buffer:
    """As many seats as students, and `spare` more, with no idea of a timetable.

    Placeholder pods and capacity buffers are this: students take the seats of placeholders, which
    ask for new nodes. A node without students ends when it was not needed for `unneeded_s`.
    """

    spare: int
    unneeded_s: float
    _empty_since: dict[str, float] = field(default_factory=dict)

    def __call__(self, world: World) -> Sequence[Action]:
        seats = world.cluster.kind.seats
        wanted = math.ceil((world.running + world.waiting + self.spare) / seats)
        wanted = min(wanted, world.cluster.most)
        actions: list[Action] = []
        if wanted > world.desired:
            actions.append({"do": "grow", "desired": wanted})
        for node in self._unneeded(world)[: max(0, world.desired - wanted)]:
            actions.append({"do": "terminate", "instance_id": node.instance_id})
        return actions

    def _unneeded(self, world: World) -> list[Node]:
        empty = [node for node in world.live() if node.state == "open" and not node.servers]
        since = {n.instance_id: self._empty_since.get(n.instance_id, world.now) for n in empty}
        self._empty_since = since
        return [n for n in empty if world.now - since[n.instance_id] >= self.unneeded_s]


@dataclass
class TargetTracking:
    """Auto Scaling by the average CPU: it ends nodes with students on them."""

    _looked_at: float = float("-inf")
    _above_since: float | None = None
    _below_since: float | None = None

    def __call__(self, world: World) -> Sequence[Action]:
        # It sees a metric each minute, and no student in line.
        if world.now - self._looked_at < 60:
            return ()
        self._looked_at = world.now
        open_nodes = [node for node in world.live() if node.state == "open"]
        if not open_nodes:
            return ()
        used = sum(len(node.servers) for node in open_nodes)
        cpu = BUSY * used / (len(open_nodes) * world.cluster.kind.seats)
        self._above_since = (self._above_since or world.now) if cpu > TARGET else None
        self._below_since = (self._below_since or world.now) if cpu < 0.9 * TARGET else None
        wanted = max(1, math.ceil(len(open_nodes) * cpu / TARGET))
        if self._above_since and world.now - self._above_since >= OUT_S and wanted > world.desired:
            return ({"do": "grow", "desired": min(wanted, world.cluster.most)},)
        if self._below_since and world.now - self._below_since >= IN_S and wanted < world.desired:
            # The default termination policy looks at zones and templates, not at students.
            # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
            return [
                {"do": "kill", "instance_id": node.instance_id}
                for node in open_nodes[: world.desired - wanted]
            ]
        return ()
