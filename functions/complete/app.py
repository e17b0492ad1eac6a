"""Ends the wait of every lifecycle action of a claim, and closes the claim in its final phase."""

from dataclasses import dataclass
from typing import Any

import boto3

from labswarm.aws.dynamodb.breaker import DynamoBreakers
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import logger
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.groups import AutoScalingGroups
from labswarm.lifecycle.complete import Completing
from labswarm.lifecycle.hooks import AutoScalingHooks
from labswarm.lifecycle.work import subject_of


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


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "result": "CONTINUE"|"ABANDON", "phase"}` -> `{"completed": <how many>}`."""
    # Of work of whatever version: an execution that no step can go on with still completes.
    subject = subject_of(event.get("work"))
    result = event.get("result")
    if result not in ("CONTINUE", "ABANDON"):
        raise BadInput("result", f"is {result!r}; a hook ends with CONTINUE or ABANDON")
    completed = COMPLETING.complete(subject, result, str(event.get("phase")))
    logger.info("completed", extra={"result": result, "phase": event.get("phase")})
    return {"completed": completed}
