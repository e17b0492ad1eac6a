"""Answers the Task that waits for a command when SSM says that it has ended, and the one that waits
for a worker's agent when the worker says that it has started."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.commands import started
from labswarm.commands.ended import CommandChanged
from labswarm.commands.starting import Starting
from labswarm.commands.steps import Commands
from labswarm.errors import BadInput
from labswarm.lifecycle.ledger import Claim

AWS = Wiring()
AGENT, LEDGER, TASKS = AWS.agent_of_events(), AWS.ledger(), AWS.tasks()
COMMANDS = Commands(AGENT, LEDGER, AWS.hub_slots(), TASKS, WallClock())
STARTING = Starting(LEDGER, AGENT, TASKS, WallClock())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`EC2 Command Invocation Status-change Notification` or `AgentStarted` ->
    `{"answered": <whether>}`.

    A malformed event is refused and not raised: a retry could not help, and the Task looks itself
    when its time is over.
    """
    try:
        if event.get("detail-type") == started.DETAIL_TYPE:
            claim, about = _started(started.AgentStarted.parse(event))
        else:
            claim, about = _ended(CommandChanged.parse(event))
    except BadInput as error:
        logger.error("refused a malformed event", extra={"field": error.field, "why": str(error)})
        return {"answered": False, "field": error.field}
    if claim is None:
        logger.info("nobody is answered", extra=about)
        return {"answered": False}
    whose = {"instance": claim.instance_id, "cluster": claim.cluster, "execution": claim.owner}
    logger.info("answered", extra={**about, **whose})
    return {"answered": True}


def _ended(command: CommandChanged) -> tuple[Claim | None, dict[str, str]]:
    claim = COMMANDS.answer(command.command_id, command.instance_id)
    return claim, {"command": command.command_id, "on": command.instance_id}


def _started(agent: started.AgentStarted) -> tuple[Claim | None, dict[str, str]]:
    return STARTING.has_started(agent.instance_id), {"instance": agent.instance_id}
