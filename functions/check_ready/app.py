"""Checks each cluster a day and an hour before its booked labs, and reports findings by mail.

Every ten minutes it looks which labs are near. A lab is checked once a day before and once an hour
before; one that is booked later is checked at once. The report is kept for the instructors' page.
"""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import LabswarmError, Transient
from labswarm.readiness.check import Checks
from labswarm.readiness.moments import check_when_due

AWS = Wiring()
CLUSTERS = AWS.clusters()
STATES = AWS.lab_hours_states()
REPORTS = AWS.ready_reports()
ALARMS = AWS.alarms()
CLOCK = WallClock()
# A function in the Chef Server's network would need an endpoint for each of AWS's services.
CHECKS = Checks(
    CLUSTERS, AWS.accounts(), AWS.surroundings(), STATES, AWS.snapshots(), certificate=None
)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A scheduled event -> `{"checked": {<cluster>: <number of findings>}}`.

    A problem of one cluster stops no other. Raises Transient at the end when one was not checked:
    the event is tried again, and kept after that.
    """
    found: dict[str, int] = {}
    failed: dict[str, str] = {}
    for name in CLUSTERS.names():
        try:
            report = check_when_due(name, CHECKS, STATES, REPORTS, ALARMS, CLOCK)
        except LabswarmError as error:
            logger.exception("not checked", extra={"cluster": name})
            failed[name] = str(error)
            continue
        if report is not None:
            found[name] = report.findings
            logger.info("checked", extra={"cluster": name, "findings": report.findings})
    if failed:
        raise Transient(
            "not checked: " + ", ".join(f"{name}: {why}" for name, why in sorted(failed.items()))
        )
    return {"checked": found}
