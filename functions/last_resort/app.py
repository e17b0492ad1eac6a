"""Completes the hooks of an execution that failed, ran out of time or was stopped."""

from typing import Any

from aws_lambda_powertools import Metrics

from labswarm.aws.observability import count, logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.lifecycle import events
from labswarm.lifecycle.complete import Completing
from labswarm.names import prefix

AWS = Wiring()
COMPLETING = Completing(
    ledger=AWS.ledger(),
    hooks=AWS.hooks(),
    groups=AWS.groups(),
    breakers=AWS.breakers(),
    clock=WallClock(),
    send_alarm=AWS.alarms().send,
)
METRICS = Metrics(namespace=prefix(), service="last-resort")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`Step Functions Execution Status Change` -> `{"done": <a sentence, or null>}`.

    An execution that failed after it had completed its hook leaves nothing to do. A malformed event
    is refused and not raised: a retry could not help. When the execution was given a malformed
    event of ours, its hook is completed all the same, and a message names the field.
    """
    try:
        ended = events.parse_ended(event)
    except BadInput as error:
        return _refused(error)
    done: str | None
    try:
        started_by = events.parse(ended.given)
    except BadInput as error:
        done = COMPLETING.resort_malformed(ended.given, ended.execution, error)
        if done is None:
            return _refused(error)
    else:
        done = COMPLETING.resort(started_by, ended.execution, ended.failure)
    logger.info("looked after", extra={"execution": ended.execution, "done": done})
    count(METRICS, {"LastResorts": int(done is not None)})
    return {"done": done}


def _refused(error: BadInput) -> dict[str, Any]:
    logger.error("refused a malformed event", extra={"field": error.field, "why": str(error)})
    return {"done": None, "field": error.field}
