"""Scheduled functions run once in a new lab, and no alarm waits for them."""

import json

import pytest
from tests.support.lambda_functions import create
from tests.support.running_emulator import RunningEmulator, eventually

from labswarm_lab.deploy import run_schedules

pytestmark = pytest.mark.emulator

SOURCE = """
def handler(event, context):
    assert event["detail-type"] == "Scheduled Event" and event["time"], event
"""


def test_only_functions_with_a_schedule_run_once(emulator: RunningEmulator, name: str) -> None:
    events = emulator.client("events")
    scheduled, other = create(emulator, SOURCE), create(emulator, SOURCE)
    pattern = json.dumps({"source": [name]})
    rules = (
        (f"{name}-scheduled", {"ScheduleExpression": "rate(1 day)"}, scheduled),
        (f"{name}-other", {"EventPattern": pattern}, other),
    )
    for rule, when, target in rules:
        events.put_rule(Name=rule, **when)
        events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": target}])

    run_schedules(emulator)

    ran = scheduled.rpartition(":")[2]
    (run,) = eventually(lambda: emulator.recorded("functions", function=ran))
    assert run["what"] == "answered"
    assert emulator.recorded("functions", function=other.rpartition(":")[2]) == []
    for rule, _, _ in rules:
        events.remove_targets(Rule=rule, Ids=["function"])
        events.delete_rule(Name=rule)


def test_a_schedules_own_input_is_the_event_of_its_first_run(
    emulator: RunningEmulator, name: str
) -> None:
    events = emulator.client("events")
    source = "def handler(event, context):\n    assert event == {'do': 'stay_active'}, event\n"
    scheduled = create(emulator, source)
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    target = {"Id": "function", "Arn": scheduled, "Input": '{"do": "stay_active"}'}
    events.put_targets(Rule=name, Targets=[target])

    run_schedules(emulator)

    ran = scheduled.rpartition(":")[2]
    (run,) = eventually(lambda: emulator.recorded("functions", function=ran))
    assert run["what"] == "answered"
    events.remove_targets(Rule=name, Ids=["function"])
    events.delete_rule(Name=name)
