"""Have a hub remove from its Swarm what only the Swarm still knows: down nodes, lost services."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.commands.steps import run_unclaimed
from labswarm.errors import BadInput

PATIENCE_S = 45
AWS = Wiring()
CLUSTERS = AWS.clusters()
AGENT = AWS.agent()
SLOTS = AWS.hub_slots()
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "nodes" or "services": [<id>, ...]}` -> `{"removed": [...], "kept": [...]}`.

    The hub keeps nodes that are not down (any more), and services that it knows (by now).
    """
    cluster = CLUSTERS.read_cluster(str(event.get("cluster")))
    kind = "services" if "services" in event else "nodes"
    ids = event.get(kind)
    if not isinstance(ids, list) or not all(isinstance(each, str) and each for each in ids):
        raise BadInput(kind, f"is {ids!r}; it has to be a list of ids")
    if not ids:
        return {"removed": [], "kept": []}
    joined = ",".join(ids)
    if kind == "nodes":
        command = (cluster.manager, "labswarm-manager-remove-down-nodes", {"Nodes": joined})
    else:
        command = (cluster.manager, "labswarm-manager-remove-lost-services", {"Services": joined})
    answer = run_unclaimed(
        AGENT, SLOTS, CLOCK, command, f"{cluster.name} reconcile {kind}", PATIENCE_S
    )
    logger.info("removed from the Swarm", extra={"cluster": cluster.name, "answer": answer})
    return answer
