"""Looks whether an instance's SSM agent is there to take commands."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import Permanent, Transient
from labswarm.lifecycle.work import Work

AGENT = Wiring().agent()
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work"}` -> `{"online": true}`.

    Raises Transient when it is not there yet; after a launch's time to go forward, Permanent.
    """
    work = Work.parse(event.get("work"))
    if AGENT.online(work.instance_id):
        return {"online": True}
    if work.left_s("forward_by", CLOCK.now()) <= 0:
        raise Permanent(f"the SSM agent of {work.instance_id} was not online in the hook's time")
    raise Transient(f"the agent of {work.instance_id} is not online yet")
