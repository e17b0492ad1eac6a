"""Changing a group's size as lab hours decided; each action may be done again."""

from collections.abc import Mapping
from typing import Any

from labswarm.cluster import INSTANCE_ID, Cluster
from labswarm.errors import BadInput, Permanent
from labswarm.groups import IN_SERVICE, Groups


class Sizing:
    """Changes clusters' sizes, by their groups."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def act(self, cluster: Cluster, action: Mapping[str, Any], servers: object) -> str:
        """Do one action and return its result. Raises what it meets, by kind.

        `servers` is how many run on the node of a termination, as its pause has answered. The
        snapshot is some seconds old; that answer is not, and nothing starts there after it.
        """
        instance_id = action.get("instance_id", "")
        if "instance_id" in action and not INSTANCE_ID.fullmatch(str(instance_id)):
            raise BadInput(
                "action.instance_id", f"is {instance_id!r}; it is like {INSTANCE_ID.pattern}"
            )
        match action:
            case {"do": "grow", "desired": int(desired)}:
                return self._grow(cluster, desired)
            case {"do": "buy", "on_demand_base": int(base)} if base >= 0:
                bought = self._groups.buy_on_demand(cluster.asg, base)
                if isinstance(action.get("desired"), int):
                    return self._grow(cluster, action["desired"])
                return "buy" if bought else "was so already"
            case {"do": "terminate", "instance_id": str(instance_id)}:
                if not isinstance(servers, int):
                    raise BadInput("servers", f"is {servers!r}; pause the node, and count them")
                return "is not empty" if servers else self._terminate(cluster, instance_id)
        raise BadInput("action", f"is {action!r}; it is `grow`, `buy` or `terminate`")

    def _grow(self, cluster: Cluster, desired: int) -> str:
        # Only ever up: lowering it would let the group choose who goes.
        if self._groups.size(cluster.asg).desired >= desired:
            return "was as large already"
        self._groups.resize(cluster.asg, desired)
        return "grow"

    def _terminate(self, cluster: Cluster, instance_id: str) -> str:
        member = self._groups.member(instance_id)
        if member is None or member.asg != cluster.asg or member.state != IN_SERVICE:
            return "is going already"
        if not self._groups.shrink(instance_id):
            raise Permanent(f"Auto Scaling refused to terminate {instance_id} of {cluster.asg}")
        return "terminate"
