"""No event is lost without a trace: ages, dead-letter queues and the last resort."""

import json
from typing import Any

import pytest
from tests.simulation.simulation import Simulation
from tests.support.app_twins import event
from tests.support.machines import FUNCTIONS, OF_CLAIMS, RESOURCES

from labswarm.lifecycle.work import NOTICE_S

QUEUE = "Undelivered.Arn"
# The shortest hook that Terraform's settings leave time for; the default is 600 s.
SHORTEST_HOOK_S = 300
SOURCES = {
    f"{name}-{source}": given
    for name, resource in RESOURCES.items()
    for source, given in resource.get("Properties", {}).get("Events", {}).items()
}
CALLED_BY_EVENTS = {n: f["Properties"] for n, f in FUNCTIONS.items() if "Events" in f["Properties"]}


def longest_s(given: dict[str, Any]) -> int:
    """How long an event of this source is of use (seconds)."""
    pattern = given["Properties"].get("Pattern", {})
    if pattern.get("source") == ["aws.ec2"]:
        return NOTICE_S
    every = {"rate(1 minute)": 60, "rate(5 minutes)": 300, "rate(10 minutes)": 600}
    return every.get(given["Properties"].get("Schedule", ""), SHORTEST_HOOK_S)


IN_A_VPC = [name for name, f in FUNCTIONS.items() if "VpcConfig" in f["Properties"]]
# A Task whose command's event did not come looks at the command itself.
LOOKED_AT_ANYWAY = ("AnswerFunction",)
# The next event of its schedule comes too late for the lab that it checks.
EACH_COUNTS = ("CheckReadyFunction",)
TICKS = {
    name: function
    for name, function in CALLED_BY_EVENTS.items()
    if any(given["Type"] == "Schedule" for given in function["Events"].values())
    and name not in (*IN_A_VPC, *EACH_COUNTS)
}


def test_the_sources_are_found() -> None:
    assert len(SOURCES) >= 8
    assert {"BeginPassesFunction", "DecideNodesFunction", "HeartbeatFunction"} == {*TICKS}
    others = {"LastResortFunction", *LOOKED_AT_ANYWAY, *IN_A_VPC, *EACH_COUNTS}
    assert {*CALLED_BY_EVENTS} - {*TICKS} == others
    assert IN_A_VPC == ["ChefFunction"]


def of_use_s(resource: str) -> int:
    """How long any event of a function or machine is of use (seconds)."""
    if resource in (*IN_A_VPC, *LOOKED_AT_ANYWAY):
        return 60
    return min(longest_s(g) for g in RESOURCES[resource]["Properties"]["Events"].values())


@pytest.mark.parametrize(("name", "given"), SOURCES.items(), ids=SOURCES)
def test_a_rules_event_is_tried_while_it_is_of_use_and_then_kept(
    name: str, given: dict[str, Any]
) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html"""
    rule = given["Properties"]
    assert given["Type"] in ("EventBridgeRule", "Schedule")
    assert 60 <= rule["RetryPolicy"]["MaximumEventAgeInSeconds"] <= of_use_s(name.partition("-")[0])
    attempts = rule["RetryPolicy"]["MaximumRetryAttempts"]
    assert attempts <= 20
    # Of a schedule whose event is of use for a minute, the next one is as good.
    short = rule["RetryPolicy"]["MaximumEventAgeInSeconds"] == 60
    assert given["Type"] != "Schedule" or (attempts == 0) == short
    assert rule["DeadLetterConfig"] == {"Arn": QUEUE}


@pytest.mark.parametrize("name", CALLED_BY_EVENTS)
def test_a_functions_failed_event_is_retried_while_it_is_useful_and_then_kept(name: str) -> None:
    """Lambda's own retries come after one and two more minutes. A schedule's next event is as good
    as the one that failed, and so is a Task's own look: it is neither tried again nor kept.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    config = CALLED_BY_EVENTS[name]["EventInvokeConfig"]
    assert 60 <= config["MaximumEventAgeInSeconds"] <= of_use_s(name)
    retries_s = {0: 0, 1: 60, 2: 180}[config["MaximumRetryAttempts"]]
    assert retries_s <= config["MaximumEventAgeInSeconds"]
    kept = {"OnFailure": {"Type": "SQS", "Destination": QUEUE}}
    again = name in TICKS or name in IN_A_VPC or name in LOOKED_AT_ANYWAY
    assert config.get("DestinationConfig") == (None if again else kept)
    assert retries_s == 0 or not again


@pytest.mark.parametrize("name", IN_A_VPC)
def test_a_function_in_a_vpc_is_called_each_hour_and_does_nothing(name: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html"""
    properties = FUNCTIONS[name]["Properties"]
    (rule,) = (given["Properties"] for given in properties["Events"].values())
    assert rule["Schedule"] == "rate(60 minutes)"

    folder = properties["CodeUri"].strip("/").split("/")[1]
    with Simulation() as simulation:
        simulation.call(folder, json.loads(rule["Input"]))
        simulation.time.run(1)

        assert simulation.answers == [(folder, {})]
        assert not simulation.faults.calls, "no call of AWS"


@pytest.mark.parametrize("name", TICKS)
def test_an_alarm_is_on_a_schedules_invocations_that_fail_or_are_not_made(name: str) -> None:
    """Lambda sends these metrics "automatically" and at "no additional charge".

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html
    """
    (alarm,) = (
        resource["Properties"]
        for resource in RESOURCES.values()
        if resource["Properties"].get("Namespace") == "AWS/Lambda"
        and resource["Properties"].get("Dimensions") == [{"Name": "FunctionName", "Value": name}]
    )
    (every_s,) = (
        longest_s(given) for given in TICKS[name]["Events"].values() if given["Type"] == "Schedule"
    )

    assert (alarm["MetricName"], alarm["Statistic"]) == ("Errors", "Sum")
    assert alarm["TreatMissingData"] == "breaching"
    # Each period has an event in it, and one that fails raises nothing.
    assert alarm["Period"] == every_s
    assert alarm["EvaluationPeriods"] >= 3
    assert "DatapointsToAlarm" not in alarm


def test_the_last_resort_hears_of_every_machine_that_claims_when_it_ends_badly() -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html"""
    pattern = FUNCTIONS["LastResortFunction"]["Properties"]["Events"]["ExecutionFailed"][
        "Properties"
    ]["Pattern"]
    machines = {
        name
        for name, resource in RESOURCES.items()
        if resource["Properties"].get("DefinitionUri", "").removeprefix("statemachines/")
        in {machine.name for machine in OF_CLAIMS}
    }
    sample = event("execution_failed")

    assert set(pattern["detail"]["stateMachineArn"]) == machines
    # The statuses that an execution ends with, but SUCCEEDED.
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    assert (pattern["source"], pattern["detail-type"]) == (
        [sample["source"]],
        [sample["detail-type"]],
    )


def test_only_our_rules_and_functions_write_to_the_queue() -> None:
    (statement,) = RESOURCES["UndeliveredPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"].endswith(":rule/*")
