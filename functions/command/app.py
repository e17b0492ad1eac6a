"""Sends one of the app's documents to a node, or about a node to its hub, for a Task that waits."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.commands.steps import Commands, Step
from labswarm.errors import BadInput, Permanent, Transient
from labswarm.lifecycle.work import Work

AWS = Wiring()
CLUSTERS = AWS.clusters()
LEDGER = AWS.ledger()
TASKS = AWS.tasks()
CLOCK = WallClock()
COMMANDS = Commands(AWS.agent(), LEDGER, AWS.hub_slots(), TASKS, CLOCK)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "document", "on": "node"|"hub", "parameters"?, "until": "forward_by"?, "token"}`.

    Answers `token` with the document's JSON and `urgent` (EC2 has warned that it takes the instance
    back) when the command has ended; otherwise the event of its end does. Invoked again with
    another token, it is the same command. A failure is raised, by the kind that the tool reports.
    A step that has to be done by `forward_by` raises Permanent after it, and when the instance's
    termination has begun.
    """
    work = Work.parse(event.get("work"))
    token = event.get("token")
    step = Step(
        subject=work.instance_id,
        transition=work.transition,
        owner=work.owner,
        document=str(event.get("document")),
        target=_target(work, event.get("on")),
        parameters=event.get("parameters", {}),
    )
    forward = event.get("until") == "forward_by"
    if forward and work.left_s("forward_by", CLOCK.now()) <= 0:
        raise Permanent("the rest of the hook's time is for undoing the launch")
    # An execution that began before a deploy asks for this by `unless_terminating`.
    if (forward or event.get("unless_terminating")) and LEDGER.is_terminating(work.instance_id):
        raise Permanent("overtaken by its termination")
    answer = COMMANDS.begin(step, token)
    about = {"step": step.name, "instance": work.instance_id}
    logger.info("begun" if answer is None else "answered", extra=about)
    if answer is None:
        if token is None:
            # An execution that began before a deploy has none, and calls again.
            raise Transient(f"{step.name} is still under way")
        return {"answered": False}
    if token is not None:
        TASKS.succeed(token, answer)
    return answer


def _target(work: Work, on: object) -> str:
    if on == "node":
        return work.instance_id
    if on == "hub":
        return CLUSTERS.read_cluster(work.cluster).manager
    raise BadInput("on", f"is {on!r}; a document runs on a 'node' or on its 'hub'")
