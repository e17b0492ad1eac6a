"""What has a schedule runs once when a lab is new, and no alarm waits for it."""

import json

import pytest
from tests.support.lambda_functions import create
from tests.support.running_emulator import RunningPlane, eventually

from labswarm_lab.deploy import run_schedules

pytestmark = pytest.mark.emulator

SOURCE = """
def handler(event, context):
    assert event["detail-type"] == "Scheduled Event" and event["time"], event
"""


def test_what_has_a_schedule_runs_once_and_nothing_else(plane: RunningPlane, name: str) -> None:
    events = plane.client("events")
    scheduled, other = create(plane, SOURCE), create(plane, SOURCE)
    pattern = json.dumps({"source": [name]})
    rules = (
        (f"{name}-scheduled", {"ScheduleExpression": "rate(1 day)"}, scheduled),
        (f"{name}-other", {"EventPattern": pattern}, other),
    )
    for rule, when, target in rules:
        events.put_rule(Name=rule, **when)
        events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": target}])

    run_schedules(plane)

    ran = scheduled.rpartition(":")[2]
    (run,) = eventually(lambda: plane.recorded("functions", function=ran))
    assert run["what"] == "answered"
    assert plane.recorded("functions", function=other.rpartition(":")[2]) == []
    for rule, _, _ in rules:
        events.remove_targets(Rule=rule, Ids=["function"])
        events.delete_rule(Name=rule)
