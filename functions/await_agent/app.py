"""Waits until an instance's SSM agent is there to take commands."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock, backoff
from labswarm.errors import Permanent, Transient
from labswarm.lifecycle.work import Work

PATIENCE_S = 90
AGENT = Wiring().agent()
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work"}` -> `{"online": true}`.

    Raises Transient when it is not there after 90 s, or when a launch's time to go forward is over;
    after that, Permanent.
    """
    work = Work.parse(event.get("work"))
    left_s = work.left_s("forward_by", CLOCK.now())
    if left_s <= 0:
        raise Permanent(f"the agent of {work.instance_id} did not come in the hook's time")
    patience_s = min(PATIENCE_S, left_s)
    for _ in backoff(CLOCK, patience_s):
        if AGENT.online(work.instance_id):
            return {"online": True}
    raise Transient(f"the agent of {work.instance_id} is not online after {patience_s:.0f} s")
