"""Each minute: keeps the lifecycle hooks waiting in which work goes on, starts the work that no
event started, and continues the work on nodes whose agents are online or whose students have
left."""

from typing import Any

from labswarm.aws.environment import required
from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.cluster import asg_name
from labswarm.commands.starting import Starting
from labswarm.errors import LabswarmError, Transient
from labswarm.lifecycle.empty import Emptying
from labswarm.lifecycle.heartbeats import Beats, Heartbeats
from labswarm.lifecycle.ledger import Claim
from labswarm.lifecycle.unstarted import Started, Unstarted
from labswarm.lifecycle.waits import Waits, read_waits

AWS = Wiring()
CLUSTERS = AWS.clusters()
GROUPS = AWS.groups()
LEDGER = AWS.ledger()
HEARTBEATS = Heartbeats(AWS.hooks(), WallClock())
EMPTYING = Emptying(LEDGER, AWS.snapshots(), AWS.tasks(), WallClock())
STARTING = Starting(LEDGER, AWS.agent(), AWS.tasks(), WallClock())
UNSTARTED = Unstarted(
    ledger=LEDGER,
    spot=AWS.spot_requests(),
    executions=AWS.executions(),
    machines={
        "launch": required("LAUNCH_MACHINE"),
        "terminate": required("TERMINATE_MACHINE"),
        "spot": required("SPOT_MACHINE"),
    },
    clock=WallClock(),
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A scheduled event -> `{"sent", "started"}`: heartbeats and executions, of all clusters.

    An error in one cluster stops no other. Raises Transient at the end when a part of the work
    failed: the next minute's tries again, and the alarm is on invocations that fail.
    """
    minute = _Minute()
    for name in CLUSTERS.names():
        minute.look_at_hooks(name)
    minute.look_at_agents()
    minute.look_at_spot()
    return minute.summed_up()


class _Minute:
    """The work of one invocation."""

    def __init__(self) -> None:
        self._members: set[str] = set()
        self._claims: list[Claim] = []
        self._sent = self._started = self._missed = 0

    def look_at_hooks(self, name: str) -> None:
        try:
            waits = read_waits(GROUPS, LEDGER, asg_name(name))
        except LabswarmError:
            logger.exception("no heartbeats", extra={"cluster": name})
            self._missed += 1
            return
        self._members |= waits.states.keys()
        self._claims += waits.claims
        self._note_beats(name, HEARTBEATS.beat(waits))
        self._note_started(UNSTARTED.start_hooks(waits))
        self._end_waits(name, waits)

    def _end_waits(self, name: str, waits: Waits) -> None:
        try:
            ended = EMPTYING.end_waits(name, waits.claims)
        except LabswarmError:
            logger.exception("no look at the nodes that empty", extra={"cluster": name})
            self._missed += 1
        else:
            if ended:
                logger.info("nodes have emptied", extra={"cluster": name, "nodes": ended})

    def look_at_agents(self) -> None:
        """Of all clusters together, so that one call is enough for 50 instances."""
        try:
            ended = STARTING.end_waits(self._claims)
        except LabswarmError:
            logger.exception("no look at the agents")
            self._missed += 1
        else:
            if ended:
                logger.info("agents are online", extra={"instances": ended})

    def look_at_spot(self) -> None:
        try:
            started = UNSTARTED.start_notices(self._members)
        except LabswarmError:
            logger.exception("spot requests not read")
            self._missed += 1
        else:
            self._note_started(started)

    def summed_up(self) -> dict[str, Any]:
        if self._missed:
            raise Transient(f"{self._missed} failed; {self._sent} heartbeats were sent")
        return {"sent": self._sent, "started": self._started}

    def _note_beats(self, name: str, beats: Beats) -> None:
        for why in beats.missed:
            logger.error("no heartbeat", extra={"cluster": name, "why": why})
        for token in beats.ended:
            logger.info("waits no more", extra={"cluster": name, "token": token})
        self._sent += beats.sent
        self._missed += len(beats.missed)

    def _note_started(self, started: Started) -> None:
        for name in started.names:
            logger.warning("no event had started it", extra={"execution": name})
        for why in started.missed:
            logger.error("not started", extra={"why": why})
        self._started += len(started.names)
        self._missed += len(started.missed)
