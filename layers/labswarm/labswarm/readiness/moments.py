"""When a cluster is checked before its labs, and what follows from the check."""

from collections.abc import Iterable

from labswarm.clock import Clock
from labswarm.lab_hours.alarms import Alarms
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.state import LabHoursStates
from labswarm.readiness.check import Checks
from labswarm.readiness.report import lines
from labswarm.readiness.reports import ReadyReports, Report

AHEAD_S = {"day": 86_400, "hour": 3600}
"""How long before a lab each check is made (seconds)."""


def moments_due(labs: Iterable[Booking], now: float) -> tuple[str, ...]:
    """Return the check that is due for each lab to come at `now` (epoch seconds): the latest whose
    time has come. The name of a check is the same until the lab begins."""
    due = []
    for lab in labs:
        come = [name for name, ahead_s in AHEAD_S.items() if lab.starts - ahead_s <= now]
        if come and now < lab.starts:
            due.append(f"{come[-1]} before {lab.starts:.0f} {lab.name}")
    return tuple(due)


def check_when_due(
    cluster: str,
    checks: Checks,
    states: LabHoursStates,
    reports: ReadyReports,
    alarms: Alarms,
    clock: Clock,
) -> Report | None:
    """Check a cluster if a lab's check is due and was not made; return the report of it.

    Of two calls at the same time one sends the mail. Raises the errors of reading and sending.
    """
    now = clock.now()
    due = moments_due(states.read_state(cluster).labs, now)
    before = reports.read_report(cluster)
    if set(due) <= set(before.moments if before else ()):
        return None
    checked = checks.check(cluster, now)
    text = tuple(lines(cluster, checked.facts, checked.findings))
    report = Report(now, text, len(checked.findings), due)
    if not reports.write_report(cluster, report, before):
        return None
    if checked.findings:
        alarms.send(f"labswarm: {cluster} is not ready for its labs", text)
    return report
