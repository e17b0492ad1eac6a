"""Doing what lab hours decided, one action at a time; each may be done again."""

from collections.abc import Mapping
from typing import Any

from labswarm.clock import Clock
from labswarm.cluster import INSTANCE_ID, Cluster
from labswarm.commands.agent import Agent
from labswarm.commands.hub_slots import HubSlots
from labswarm.commands.steps import run_unclaimed
from labswarm.errors import BadInput, Permanent
from labswarm.groups import IN_SERVICE, Groups

PATIENCE_S = 60


class Sizing:
    """Changes clusters' sizes, by their hubs and groups."""

    def __init__(self, agent: Agent, slots: HubSlots, groups: Groups, clock: Clock) -> None:
        self._agent = agent
        self._slots = slots
        self._groups = groups
        self._clock = clock

    def act(self, cluster: Cluster, action: Mapping[str, Any]) -> str:
        """Do one action and return its result. Raises what it meets, by kind."""
        instance_id = action.get("instance_id", "")
        if "instance_id" in action and not INSTANCE_ID.fullmatch(str(instance_id)):
            raise BadInput(
                "action.instance_id", f"is {instance_id!r}; it is like {INSTANCE_ID.pattern}"
            )
        match action:
            case {"do": "grow", "desired": int(desired)}:
                return self._grow(cluster, desired)
            case {"do": "activate" | "pause" as what, "instance_id": str(instance_id)}:
                self._command(cluster, what, instance_id)
                return str(what)
            case {"do": "terminate", "instance_id": str(instance_id)}:
                return self._terminate(cluster, instance_id)
        raise BadInput("action", f"is {action!r}; pass on the answer of `decide_nodes`")

    def _grow(self, cluster: Cluster, desired: int) -> str:
        # Only ever up: lowering it would let the group choose who goes.
        if self._groups.size(cluster.asg).desired >= desired:
            return "was as large already"
        self._groups.resize(cluster.asg, desired)
        return "grow"

    def _terminate(self, cluster: Cluster, instance_id: str) -> str:
        # The snapshot is some seconds old; this answer is not, and nothing starts there after it.
        if self._command(cluster, "pause", instance_id)["servers"]:
            return "is not empty"
        member = self._groups.member(instance_id)
        if member is None or member.asg != cluster.asg or member.state != IN_SERVICE:
            return "is going already"
        if not self._groups.shrink(instance_id):
            raise Permanent(f"the group {cluster.asg} did not let {instance_id} go")
        return "terminate"

    def _command(self, cluster: Cluster, what: str, instance_id: str) -> dict[str, Any]:
        document = f"labswarm-manager-{what}"
        return run_unclaimed(
            self._agent,
            self._slots,
            self._clock,
            (cluster.manager, document, {"Instance": instance_id}),
            f"{instance_id} {what} lab hours",
            PATIENCE_S,
        )
