"""Does one action that lab hours decided: grow the group; open, pause or end a node."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.lab_hours.apply import Sizing

AWS = Wiring()
CLUSTERS = AWS.clusters()
SIZING = Sizing(agent=AWS.agent(), slots=AWS.hub_slots(), groups=AWS.groups(), clock=WallClock())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "action": {"do", "instance_id" or "desired"}}` -> `{"done": true, "outcome"}`.

    A node with students is not ended, and a group is never made smaller than it is.
    """
    action = event.get("action", {})
    outcome = SIZING.act(CLUSTERS.read_cluster(str(event.get("cluster"))), action)
    logger.info("acted", extra={"action": action, "outcome": outcome})
    return {"done": True, "outcome": outcome}
