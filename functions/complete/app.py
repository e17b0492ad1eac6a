"""Ends the wait of every lifecycle action of a claim, and closes the claim in its final phase."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.lifecycle.complete import Completing
from labswarm.lifecycle.failure import Failure
from labswarm.lifecycle.work import subject_of

AWS = Wiring()
COMPLETING = Completing(
    ledger=AWS.ledger(),
    hooks=AWS.hooks(),
    groups=AWS.groups(),
    breakers=AWS.breakers(),
    clock=WallClock(),
    send_alarm=AWS.alarms().send,
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "result": "CONTINUE"|"ABANDON", "phase"}` -> `{"completed": <how many>}`.

    `failure`, the error that a state machine caught, goes to the log and into the alarm.
    """
    # Any version of the work will do: an execution that no step can continue still completes.
    subject = subject_of(event.get("work"))
    result = event.get("result")
    if result not in ("CONTINUE", "ABANDON"):
        raise BadInput("result", f"is {result!r}; a hook ends with CONTINUE or ABANDON")
    failure = Failure.read(event.get("failure"))
    if "failure" in event:
        logger.error("launch failed", extra={"instance": subject[0], "why": failure.why})
    completed = COMPLETING.complete(subject, result, str(event.get("phase")), failure)
    logger.info("completed", extra={"result": result, "phase": event.get("phase")})
    return {"completed": completed}
