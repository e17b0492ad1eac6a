"""Decides about each cluster's size, and starts the machine that acts when there is something to
do. It looks at all clusters each minute, and on `SeatsShort` at the one without a free seat.

The minute's decisions come first; then the timetables are read, and a cluster whose timetable has
changed is decided about again. So no feed takes time from a decision. In between, the minute is
added to the records of what the clusters used. At last the hubs are counted that refused their
document.
"""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Metrics

from labswarm.aws.environment import required
from labswarm.aws.observability import count, logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.cluster import NAME
from labswarm.errors import BadInput, LabswarmError, Transient
from labswarm.lab_hours.decide import Decided, LabHours, actions_of, execution_name
from labswarm.lab_hours.timetables import Timetables
from labswarm.names import prefix
from labswarm.usage.count import Seen, record

AWS = Wiring()
CLUSTERS = AWS.clusters()
EXECUTIONS = AWS.executions()
REPORTS = AWS.reports()
MACHINE = required("LAB_HOURS_MACHINE")
STATES = AWS.lab_hours_states()
USAGES = AWS.usages()
TIMETABLES = Timetables(AWS.feeds(), STATES, WallClock())
HOURS = LabHours(
    clusters=CLUSTERS,
    groups=AWS.groups(),
    purchases=AWS.purchases(),
    snapshots=AWS.snapshots(),
    states=STATES,
    bookings=AWS.bookings(),
    launches=AWS.launches(),
    claims=AWS.ledger(),
    breakers=AWS.breakers(),
    alarms=AWS.alarms(),
    clock=WallClock(),
)
METRICS = Metrics(namespace=prefix(), service="lab-hours")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A scheduled event, or `SeatsShort` -> `{"decisions": {<cluster>: [<reason>, ...]}}`.

    A problem of one cluster stops no other. Raises Transient at the end when one was not
    decided about: the next minute's tries again, and the alarm is on invocations that fail. A
    malformed event is refused and not raised: there is nothing to try again.
    """
    try:
        names = _clusters(event)
    except BadInput as error:
        logger.error("refused a malformed event", extra={"field": error.field, "why": str(error)})
        return {"decisions": {}, "field": error.field}
    decided = _Decisions()
    for name in names:
        decided.decide(name)
    if event.get("detail-type") != "SeatsShort":
        decided.count_usage()
        decided.refresh_timetables()
        decided.read_documents()
    return decided.summed_up()


class _Decisions:
    """The decisions of one invocation, by cluster."""

    def __init__(self) -> None:
        self._made: dict[str, Decided] = {}
        self._failed: dict[str, str] = {}
        self._unread: dict[str, str] = {}
        self._refused = 0

    def decide(self, name: str) -> None:
        try:
            made = HOURS.decision(name)
            decision, snapshot = made.decision, made.snapshot
            begun = bool(
                decision.acts
                and snapshot
                and EXECUTIONS.start(
                    MACHINE,
                    execution_name(decision, snapshot),
                    {"cluster": name, "actions": actions_of(decision)},
                )
            )
        except LabswarmError as error:
            logger.exception("not decided", extra={"cluster": name})
            self._failed[name] = str(error)
            return
        # The dashboard draws the seats from this line.
        logger.info(
            "decided",
            extra={
                "cluster": name,
                "decision": asdict(decision),
                "seats_wanted": decision.seats,
                "seats_there": made.seats_there,
                "begun": begun,
            },
        )
        self._made[name] = made

    def count_usage(self) -> None:
        for name, made in self._made.items():
            now = WallClock().now()
            seen = Seen.of(now, made.group, made.snapshot, made.state.labs, made.ahead_s)
            try:
                record(USAGES, name, seen)
            except LabswarmError:
                # A missing minute of the costs is no reason for an alarm.
                logger.exception("usage not counted", extra={"cluster": name})

    def refresh_timetables(self) -> None:
        refreshed = TIMETABLES.refresh([made.feed for made in self._made.values() if made.feed])
        for name, endings in refreshed.endings.items():
            logger.info("timetable read", extra={"cluster": name, "events": endings})
        self._unread = refreshed.unread
        for name in refreshed.changed:
            self.decide(name)

    def read_documents(self) -> None:
        """Count the hubs that do not run their newest document. A failure stops no decision."""
        try:
            reports = REPORTS.read_reports()
        except LabswarmError:
            logger.exception("documents not read")
            return
        for name, report in sorted(reports.items()):
            if report.refused:
                self._refused += 1
                about = {"cluster": name, "version": report.tried, "runs": report.version}
                logger.warning("document refused", extra={**about, "problem": report.problem})

    def summed_up(self) -> dict[str, Any]:
        problems = [
            *(
                (name, text)
                for name, made in self._made.items()
                for text in made.state.all_problems
            ),
            *self._unread.items(),
        ]
        for name, problem in problems:
            logger.warning("timetable", extra={"cluster": name, "problem": problem})
        held = sum(made.decision.held for made in self._made.values())
        waiting = sum(made.waiting_long for made in self._made.values())
        count(
            METRICS,
            {
                "TimetableProblems": len(problems),
                "LaunchesHeld": held,
                "StudentsWait": waiting,
                "DocumentsRefused": self._refused,
            },
        )
        for name, made in self._made.items():
            if not made.decision.decided:
                self._failed.setdefault(name, "; ".join(made.decision.reasons))
        if self._failed:
            failed = ", ".join(f"{name}: {why}" for name, why in sorted(self._failed.items()))
            raise Transient(f"not decided: {failed}")
        reasons = {name: list(made.decision.reasons) for name, made in self._made.items()}
        return {"decisions": reasons}


def _clusters(event: dict[str, Any]) -> list[str]:
    if event.get("detail-type") != "SeatsShort":
        return CLUSTERS.names()
    detail = event.get("detail")
    name = detail.get("cluster") if isinstance(detail, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadInput("detail.cluster", f"is {name!r}; it has to be like {NAME.pattern}")
    return [name]
