"""Does one action that lab hours decided: grow the group; open, pause or end a node."""

from dataclasses import dataclass
from typing import Any

import boto3

from labswarm.aws.dynamodb.hub_slots import DynamoSlots
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmAgent, SsmClusters
from labswarm.clock import WallClock
from labswarm.groups import AutoScalingGroups
from labswarm.lab_hours.apply import Sizing


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
SIZING = Sizing(
    agent=SsmAgent(SSM),
    slots=DynamoSlots(boto3.client("dynamodb", config=AWS), ENVIRONMENT.ledger_table),
    groups=AutoScalingGroups(boto3.client("autoscaling", config=AWS)),
    clock=WallClock(),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "action": {"do", "instance_id" or "desired"}}` -> `{"done": true, "outcome"}`.

    A node with students is not ended, and a group is never made smaller than it is.
    """
    action = event.get("action", {})
    outcome = SIZING.act(CLUSTERS.read(str(event.get("cluster"))), action)
    logger.info("acted", extra={"action": action, "outcome": outcome})
    return {"done": True, "outcome": outcome}
