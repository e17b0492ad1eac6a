"""Answers the Task that waits for a command, when SSM says that the command has ended."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.commands.ended import CommandChanged
from labswarm.commands.steps import Commands
from labswarm.errors import BadInput

AWS = Wiring()
COMMANDS = Commands(AWS.agent_of_events(), AWS.ledger(), AWS.hub_slots(), AWS.tasks(), WallClock())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`EC2 Command Invocation Status-change Notification` -> `{"answered": <whether>}`.

    A malformed event is refused and not raised: a retry could not help, and the Task looks at its
    command itself when its time is over.
    """
    try:
        changed = CommandChanged.parse(event)
    except BadInput as error:
        logger.error("refused a malformed event", extra={"field": error.field, "why": str(error)})
        return {"answered": False, "field": error.field}
    claim = COMMANDS.answer(changed.command_id, changed.instance_id)
    about = {"command": changed.command_id, "on": changed.instance_id}
    if claim is None:
        logger.info("nobody waits for the command", extra=about)
        return {"answered": False}
    whose = {"instance": claim.instance_id, "cluster": claim.cluster, "execution": claim.owner}
    logger.info("a command has ended", extra={**about, **whose})
    return {"answered": True}
