"""Has the hub remove Swarm nodes that are down, by their node ids."""

from dataclasses import dataclass
from typing import Any

import boto3

from labswarm.aws.dynamodb.hub_slots import DynamoSlots
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmAgent, SsmClusters
from labswarm.clock import WallClock
from labswarm.commands.steps import once
from labswarm.errors import BadInput

PATIENCE_S = 45
DOCUMENT = "labswarm-manager-forget"


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    ledger_table: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(ledger_table=required("LEDGER_TABLE"))


ENVIRONMENT = Environment.from_env()
SSM = boto3.client("ssm", config=AWS)
CLUSTERS = SsmClusters(SSM)
AGENT = SsmAgent(SSM)
SLOTS = DynamoSlots(boto3.client("dynamodb", config=AWS), ENVIRONMENT.ledger_table)
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "nodes": [<node id>, ...]}` -> `{"removed": [...], "kept": [...]}`.

    Kept are nodes that are not down (any more).
    """
    cluster = CLUSTERS.read(str(event.get("cluster")))
    nodes = event.get("nodes")
    if not isinstance(nodes, list):
        raise BadInput("nodes", f"is {nodes!r}; it has to be a list of node ids")
    if not nodes:
        return {"removed": [], "kept": []}
    command = (cluster.manager, DOCUMENT, {"Nodes": ",".join(nodes)})
    answer = once(AGENT, SLOTS, CLOCK, command, f"{cluster.name} reconcile", PATIENCE_S)
    logger.info("forgotten", extra={"cluster": cluster.name, "answer": answer})
    return answer
