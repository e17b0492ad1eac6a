"""Ends the wait of every lifecycle action of a claim, and closes the claim in its final phase."""

from dataclasses import dataclass
from typing import Any

import boto3

from labswarm.clock import WallClock
from labswarm.environment import AWS, required
from labswarm.errors import BadInput
from labswarm.ledger_dynamodb import DynamoLedger
from labswarm.lifecycle import AutoScalingHooks, finish
from labswarm.observability import logger
from labswarm.work import Work


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    ledger_table: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(ledger_table=required("LEDGER_TABLE"))


ENVIRONMENT = Environment.from_env()
LEDGER = DynamoLedger(boto3.client("dynamodb", config=AWS), ENVIRONMENT.ledger_table)
HOOKS = AutoScalingHooks(boto3.client("autoscaling", config=AWS))
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "result": "CONTINUE"|"ABANDON", "phase"}` -> `{"completed": <how many>}`."""
    work = Work.parse(event.get("work"))
    result = event.get("result")
    if result not in ("CONTINUE", "ABANDON"):
        raise BadInput("result", f"is {result!r}; a hook ends with CONTINUE or ABANDON")
    subject = (work.instance_id, work.transition, work.owner)
    completed = finish(LEDGER, HOOKS, CLOCK, subject, result, str(event.get("phase")))
    logger.info("completed", extra={"result": result, "phase": event.get("phase")})
    return {"completed": completed}
