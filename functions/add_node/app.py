"""Add an instance to a node's group, within the group's maximum."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.lifecycle.capacity import add_one
from labswarm.lifecycle.work import Work

AWS = Wiring()
LEDGER = AWS.ledger()
GROUPS = AWS.groups()
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work"}` -> `{"capacity": <the group's>}`; a second call adds no other."""
    work = Work.parse(event.get("work"))
    subject = (work.instance_id, work.transition, work.owner)
    capacity = add_one(LEDGER, GROUPS, CLOCK, subject)
    logger.info("added", extra={"asg": work.asg, "capacity": capacity})
    return {"capacity": capacity}
