"""Keeps the lifecycle hooks waiting in which work goes on: each minute, one heartbeat for each."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.cluster import asg_name
from labswarm.errors import LabswarmError, Transient
from labswarm.lifecycle.heartbeats import Heartbeats

AWS = Wiring()
CLUSTERS = AWS.clusters()
HEARTBEATS = Heartbeats(AWS.groups(), AWS.ledger(), AWS.hooks(), WallClock())


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A scheduled event -> `{"sent"}`: heartbeats, of all clusters.

    An error in one cluster stops no other. Raises Transient at the end when a heartbeat was
    missed: the next minute's tries again, and the alarm is on invocations that fail.
    """
    sent = missed = 0
    for name in CLUSTERS.names():
        try:
            beats = HEARTBEATS.beat(asg_name(name))
        except LabswarmError:
            logger.exception("no heartbeats", extra={"cluster": name})
            missed += 1
            continue
        for why in beats.missed:
            logger.error("no heartbeat", extra={"cluster": name, "why": why})
        for token in beats.ended:
            logger.info("waits no more", extra={"cluster": name, "token": token})
        sent += beats.sent
        missed += len(beats.missed)
    if missed:
        raise Transient(f"{missed} heartbeats were missed, and {sent} sent")
    return {"sent": sent}
