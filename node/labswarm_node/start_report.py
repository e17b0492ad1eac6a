"""A worker reports that its SSM agent has started, so that its launch goes on at once.

The agent does not say when Systems Manager knows it. So the worker reports again, ever less often,
until the first command has come. After a minute the app's own looks are enough.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, Protocol

from labswarm.error_table import aws_kind
from labswarm.errors import Transient
from labswarm.lifecycle.started import DETAIL_TYPE, AgentStarted, source
from labswarm_node.aws import reached
from labswarm_node.clock import Clock, backoff
from labswarm_node.config import NodeConfig

FIRST_PAUSE_S, LONGEST_PAUSE_S, PATIENCE_S = 1.0, 10.0, 60.0

log = logging.getLogger("labswarm-node")


class Reports(Protocol):
    """Where the worker reports to. Raises Transient without an answer."""

    def report(self) -> None:
        """Report that the agent has started."""


class EventReports:
    """`Reports` on the default event bus. Permission: events:PutEvents."""

    def __init__(self, config: NodeConfig, client: Callable[[str], Any]) -> None:
        """`client` makes the boto3 client of a service."""
        self._events = client("events")
        self._entry = {
            "Source": source(config.prefix),
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(AgentStarted(config.instance_id).detail()),
        }

    def report(self) -> None:
        with reached():
            answer = self._events.put_events(Entries=[self._entry])
        # PutEvents succeeds also when it takes none of its entries.
        for refused in (one for one in answer["Entries"] if "ErrorCode" in one):
            kind = aws_kind(refused["ErrorCode"], refused.get("ErrorMessage", ""))
            raise kind(f"{DETAIL_TYPE} was refused: {refused['ErrorCode']}")


def report_start(reports: Reports, commanded: Callable[[], bool], clock: Clock) -> dict[str, Any]:
    """Report until a command has come, for a minute at most.

    Returns how many `reports` were sent, and whether the worker was `commanded`.
    """
    sent = 0
    for _ in backoff(clock, PATIENCE_S, FIRST_PAUSE_S, LONGEST_PAUSE_S):
        if commanded():
            break
        try:
            reports.report()
        except Transient as error:
            log.warning("again: %s", error)
        else:
            sent += 1
    return {"reports": sent, "commanded": commanded()}
