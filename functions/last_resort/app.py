"""Completes the hooks of an execution that failed, ran out of time or was stopped."""

from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools import Metrics

from labswarm.aws.dynamodb.breaker import DynamoBreakers
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import count, logger
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.groups import AutoScalingGroups
from labswarm.lifecycle import events
from labswarm.lifecycle.complete import Completing
from labswarm.lifecycle.hooks import AutoScalingHooks


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    ledger_table: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(ledger_table=required("LEDGER_TABLE"))


ENVIRONMENT = Environment.from_env()
AUTOSCALING = boto3.client("autoscaling", config=AWS)
DYNAMODB = boto3.client("dynamodb", config=AWS)
COMPLETING = Completing(
    ledger=DynamoLedger(DYNAMODB, ENVIRONMENT.ledger_table),
    hooks=AutoScalingHooks(AUTOSCALING),
    groups=AutoScalingGroups(AUTOSCALING),
    breakers=DynamoBreakers(DYNAMODB, ENVIRONMENT.ledger_table),
    clock=WallClock(),
)
METRICS = Metrics(namespace="labswarm", service="last-resort")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Step Functions Execution Status Change` -> `{"done": <a sentence, or null>}`.

    An execution that failed after it had completed its hook leaves nothing to do. What is malformed
    is refused and not raised: there is nothing to try again.
    """
    try:
        ended = events.parse_ended(event)
        started_by = events.parse(ended.given)
    except BadInput as error:
        logger.error("refused a malformed event", extra={"field": error.field, "why": str(error)})
        return {"done": None, "field": error.field}
    done = COMPLETING.resort(started_by, ended.execution)
    logger.info("looked after", extra={"execution": ended.execution, "done": done})
    count(METRICS, {"LastResorts": int(done is not None)})
    return {"done": done}
