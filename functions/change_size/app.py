"""Changes a group as lab hours decided: grows it, buys on demand, or ends a node that is empty."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.lab_hours.apply import Sizing

AWS = Wiring()
CLUSTERS = AWS.clusters()
SIZING = Sizing(AWS.groups())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "action": {"do", ...}, "servers"?}` -> `{"done": true, "outcome"}`.

    `servers` is how many run on the node, which was paused before. A node with students is not
    ended, and a group is never made smaller than it is.
    """
    cluster, action = CLUSTERS.read_cluster(str(event.get("cluster"))), event.get("action", {})
    outcome = SIZING.act(cluster, action, event.get("servers"))
    logger.info("acted", extra={"action": action, "outcome": outcome})
    return {"done": True, "outcome": outcome}
