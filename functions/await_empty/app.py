"""Answers the Task that waits for a node's students, when there is a reason to look at the node."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.lifecycle.empty import Emptying
from labswarm.lifecycle.work import Work

AWS = Wiring()
EMPTYING = Emptying(AWS.ledger(), AWS.snapshots(), AWS.tasks(), WallClock())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "token"}` -> `{"reason": <the reason to look at the node, or null>}`.

    With a reason the token is answered. Without one it is when EC2 takes the instance back, or when
    the minute's look finds the node empty; the Task's own time ends with the students'.
    """
    work = Work.parse(event.get("work"))
    token = event.get("token")
    if not isinstance(token, str) or not token:
        raise BadInput("token", f"is {token!r}; pass on the Task's token")
    reason = EMPTYING.await_empty(work, token)
    logger.info("looked", extra={"instance": work.instance_id, "reason": reason})
    return {"reason": reason}
