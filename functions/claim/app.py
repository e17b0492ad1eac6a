"""Claims what an event asks for, for one execution; answers the work, or why there is none."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.lifecycle import events
from labswarm.lifecycle.claim import Claiming
from labswarm.lifecycle.events import Skip
from labswarm.lifecycle.hook_time import LEAST_TIMEOUT_S


def warn_of_short_hook(asg: str, hook: str, timeout_s: int) -> None:
    """Warn that no heartbeat comes in time: the instance has this one timeout and no more."""
    logger.warning(
        "this hook's heartbeat timeout is too short to be kept waiting",
        extra={"asg": asg, "hook": hook, "timeout_s": timeout_s, "least_s": LEAST_TIMEOUT_S},
    )


AWS = Wiring()
CLAIMING = Claiming(
    clusters=AWS.clusters(),
    ledger=AWS.ledger(),
    hooks=AWS.hooks(),
    groups=AWS.groups(),
    executions=AWS.executions(),
    clock=WallClock(),
    too_short=warn_of_short_hook,
    tasks=AWS.tasks(),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"event": <EventBridge event>, "execution": <ARN>}` -> the work, with `claimed`.

    Raises BadInput, which is logged too, for a malformed event of a group of ours and for a cluster
    or hook that is not set up. Its execution fails, and the function last_resort ends the wait. No
    hook of ours waits for any other malformed event: it is refused without an error.
    """
    execution = _execution(event)
    try:
        read = events.parse(event.get("event"))
    except BadInput as error:
        logger.error("refused a malformed event", extra={"field": error.field, "why": str(error)})
        if events.cluster_named(event.get("event")):
            raise
        return {"claimed": False, "reason": str(error), "field": error.field}
    try:
        answer = read if isinstance(read, Skip) else CLAIMING.claim(read, execution)
    except BadInput as error:
        logger.error("not set up", extra={"field": error.field, "why": str(error)})
        raise
    if isinstance(answer, Skip):
        logger.info("not claimed", extra={"field": answer.field, "why": answer.reason})
        return {"claimed": False, "reason": answer.reason}
    logger.info("claimed", extra={"work": answer.to_json()})
    return {"claimed": True, **answer.to_json()}


def _execution(event: dict[str, Any]) -> str:
    execution = event.get("execution")
    if not isinstance(execution, str) or not execution.startswith("arn:"):
        raise BadInput("execution", f"is {execution!r}; it has to be the execution's ARN")
    return execution
