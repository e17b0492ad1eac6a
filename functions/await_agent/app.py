"""Answers the Task that waits for an instance's SSM agent, when the agent is online already."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.commands.starting import Starting
from labswarm.errors import Transient
from labswarm.lifecycle.work import Work

AWS = Wiring()
STARTING = Starting(AWS.ledger(), AWS.agent(), AWS.tasks(), WallClock())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "token"}` -> `{"online": <whether it is now>}`.

    An agent that is online answers the token. Otherwise the worker's event does, or the minute's
    look. After a launch's time to go forward Permanent is raised.
    """
    work, token = Work.parse(event.get("work")), event.get("token")
    online = STARTING.await_agent(work, token)
    if not online and token is None:
        # An execution that began before a deploy has none, and calls again.
        raise Transient(f"the agent of {work.instance_id} is not online yet")
    logger.info("looked", extra={"instance": work.instance_id, "online": online})
    return {"online": online}
