"""A worker reports that its SSM agent has started, so that its launch goes on at once.

The agent does not say when Systems Manager knows it. So the worker reports again, ever less often,
until the first command has come. After a minute the app's own looks are enough.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from labswarm.commands.started import DETAIL_TYPE, AgentStarted, source
from labswarm.errors import Transient
from labswarm_node.clock import Clock, backoff
from labswarm_node.config import NodeConfig

if TYPE_CHECKING:
    from botocore.session import Session

FIRST_PAUSE_S, LONGEST_PAUSE_S, PATIENCE_S = 1.0, 10.0, 60.0

log = logging.getLogger("labswarm-node")


class Reports(Protocol):
    """Where the worker reports to. Raises Transient without an answer."""

    def report(self) -> None:
        """Report that the agent has started."""


class EventReports:
    """`Reports` as events, with the credentials of the environment or the instance's role."""

    def __init__(self, config: NodeConfig, session: "Session | None" = None) -> None:
        """`session` brings other credentials."""
        # The tools start faster without it.
        from labswarm_node.aws import clients

        self._events = clients(config, session)("events")
        self._source = source(config.prefix)
        self._detail = AgentStarted(config.instance_id).detail()

    def report(self) -> None:
        from labswarm_node.event_bus import put_event

        put_event(self._events, self._source, DETAIL_TYPE, self._detail)


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
