"""Runs one of the app's documents on a node, or about a node on its hub, and answers its JSON."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.commands.steps import Commands, Step
from labswarm.errors import BadInput, Permanent
from labswarm.lifecycle.work import Work

PATIENCE_S = 90
LEAST_PATIENCE_S = 10
"""Commands that clean up may take this long, even after the deadline."""


AWS = Wiring()
CLUSTERS = AWS.clusters()
LEDGER = AWS.ledger()
SLOTS = AWS.hub_slots()
CLOCK = WallClock()
COMMANDS = Commands(AWS.agent(), LEDGER, SLOTS, CLOCK)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "document", "on": "node"|"hub", "parameters"?, "until"?, "until_done"?}` -> answer.

    `until` names the work's time by which the step has to be done, `forward_by`, `empty_by` or
    `evacuate_by`; without it that is the work's deadline. After that time it still has 10 s. With
    `until_done` a command that fails for a while is sent again in this call, not only in the next.
    Raises Transient while the command is still under way after 90 s, or then (invoke again to go
    on waiting); of a step that has to be done by `forward_by`, Permanent after it and when the
    instance's termination has begun; and otherwise the kind that the tool reports. `urgent` in the
    answer: EC2 has warned that it takes the instance back.
    """
    work = Work.parse(event.get("work"))
    until = event.get("until", "deadline")
    patience_s = _patience_s(work, until)
    # Executions of the version before ask for this by `unless_terminating`, and have no `until`.
    overtakable = until == "forward_by" or event.get("unless_terminating")
    if overtakable and LEDGER.is_terminating(work.instance_id):
        raise Permanent("overtaken by its termination")
    step = Step(
        subject=work.instance_id,
        transition=work.transition,
        owner=work.owner,
        document=str(event.get("document")),
        target=_target(work, event.get("on")),
        parameters=event.get("parameters", {}),
    )
    # An execution that began before version 0.2 says `repeat`.
    until_done = event.get("until_done") or event.get("repeat")
    run = COMMANDS.run_until_done if until_done else COMMANDS.run
    answer = run(step, patience_s)
    logger.info("answered", extra={"step": step.name, "instance": work.instance_id})
    claim = LEDGER.read_claim(work.instance_id, work.transition)
    return {**answer, "urgent": claim is not None and claim.urgent}


def _patience_s(work: Work, until: object) -> float:
    if (
        until != "deadline"
        and until != "forward_by"
        and until != "empty_by"
        and until != "evacuate_by"
    ):
        raise BadInput(
            "until", f"is {until!r}; it has to be 'forward_by', 'empty_by' or 'evacuate_by'"
        )
    left_s = work.left_s(until, CLOCK.now())
    if until == "forward_by" and left_s <= 0:
        raise Permanent("the rest of the hook's time is for undoing the launch")
    return max(LEAST_PATIENCE_S, min(PATIENCE_S, left_s))


def _target(work: Work, on: object) -> str:
    if on == "node":
        return work.instance_id
    if on == "hub":
        return CLUSTERS.read_cluster(work.cluster).manager
    raise BadInput("on", f"is {on!r}; a document runs on a 'node' or on its 'hub'")
