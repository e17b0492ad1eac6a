"""Has a node's group hold one instance more, within its bound."""

from dataclasses import dataclass
from typing import Any

import boto3

from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import logger
from labswarm.clock import WallClock
from labswarm.groups import AutoScalingGroups, add_one
from labswarm.lifecycle.work import Work


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    ledger_table: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(ledger_table=required("LEDGER_TABLE"))


ENVIRONMENT = Environment.from_env()
LEDGER = DynamoLedger(boto3.client("dynamodb", config=AWS), ENVIRONMENT.ledger_table)
GROUPS = AutoScalingGroups(boto3.client("autoscaling", config=AWS))
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work"}` -> `{"capacity": <the group's>}`; again, no other is added."""
    work = Work.parse(event.get("work"))
    subject = (work.instance_id, work.transition, work.owner)
    capacity = add_one(LEDGER, GROUPS, CLOCK, subject)
    logger.info("added", extra={"asg": work.asg, "capacity": capacity})
    return {"capacity": capacity}
