"""Begins reconcile's passes when a cluster wants one: every five minutes."""

from typing import Any

from labswarm.aws.environment import required
from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import BadInput, Transient
from labswarm.reconcile.due import clusters_due, clusters_stuck

AWS = Wiring()
CLUSTERS = AWS.clusters()
PASSES = AWS.passes()
GROUPS = AWS.groups()
EXECUTIONS = AWS.executions()
MACHINE = required("RECONCILE_MACHINE")
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A scheduled event -> `{"clusters", "begun"}`: those that want a pass, and whether the machine
    was started for them. An event that comes twice starts it once.

    Raises BadInput for an event without a time, and Transient at the end when a cluster has wanted
    a pass since an earlier event: the alarm is on invocations that fail.
    """
    name = _execution_name(event)
    found, why = clusters_due(CLUSTERS.names(), PASSES, GROUPS, CLOCK)
    for failure in why:
        logger.warning("not known whether at rest", extra={"why": failure})
    # Before the machine is started: the pass that it makes ends the waiting.
    late = clusters_stuck(found, PASSES, CLOCK)
    # The machine gets these: a moment later it would find others at rest, and those are overdue.
    given = {"cluster": None, "clusters": found, "dry_run": False}
    begun = bool(found) and EXECUTIONS.start(MACHINE, name, given)
    logger.info("looked", extra={"clusters": found, "begun": begun})
    if late:
        raise Transient("; ".join(late))
    return {"clusters": found, "begun": begun}


def _execution_name(event: dict[str, Any]) -> str:
    """By the event's time: "the same rule can be run more than once for a single event or scheduled
    time" (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html)."""
    time = event.get("time")
    if not isinstance(time, str) or not time:
        raise BadInput("time", f"is {time!r}; it has to be like 2026-11-24T08:05:00Z")
    return "scheduled-" + time.replace(":", "")
