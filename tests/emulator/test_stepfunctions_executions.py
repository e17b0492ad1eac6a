"""Executions from outside: names, times, histories, many at once."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.state_machines import create, finished, history, one, run, start

pytestmark = pytest.mark.emulator


@pytest.mark.aws(
    "Step Functions",
    "StartExecution",
    "An execution without a name gets one of its own.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html",
)
def test_unnamed_executions_get_names_of_their_own(emulator: Any) -> None:
    """A name is random where none is given, so the same machine runs any number of times.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    states = emulator.client("stepfunctions")
    machine = create(emulator, one({"Type": "Pass"}))

    arns = {states.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(3)}

    assert len(arns) == 3
    assert all(finished(emulator, arn)["status"] == "SUCCEEDED" for arn in arns)


@pytest.mark.aws(
    "Step Functions",
    "StartExecution",
    "Same name and input while it runs is the same execution; else it is refused.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html",
)
def test_the_same_name_runs_once(emulator: Any) -> None:
    """Same name and input while it runs: the same execution; another input: refused.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    states = emulator.client("stepfunctions")
    machine = create(emulator, one({"Type": "Wait", "Seconds": 600}))
    given = {"stateMachineArn": machine, "name": "once", "input": '{"a": 1}'}

    first = states.start_execution(**given)
    again = states.start_execution(**given)
    with pytest.raises(ClientError) as refused:
        states.start_execution(**{**given, "input": '{"a": 2}'})

    assert again["executionArn"] == first["executionArn"]
    assert refused.value.response["Error"]["Code"] == "ExecutionAlreadyExists"
    states.stop_execution(executionArn=first["executionArn"])
    assert finished(emulator, first["executionArn"])["status"] == "ABORTED"


@pytest.mark.aws(
    "Step Functions",
    "Wait",
    "Takes its Seconds, by the emulator's clock.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html",
)
def test_a_wait_takes_its_time_on_the_emulators_clock(emulator: Any) -> None:
    """Wait, Seconds: https://states-language.net/spec.html#wait-state (scaled by the emulator)"""
    started = time.monotonic()

    run(emulator, one({"Type": "Wait", "Seconds": 20}))

    real = 20 * emulator.settings.time_scale
    assert real <= time.monotonic() - started < real + 2


@pytest.mark.aws(
    "Step Functions",
    "TimeoutSeconds of a machine",
    "The execution ends as TIMED_OUT.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html",
)
def test_an_execution_that_outlasts_the_machines_timeout_is_timed_out(emulator: Any) -> None:
    """TimeoutSeconds of a machine: the execution fails with States.Timeout, status TIMED_OUT.

    https://states-language.net/spec.html#toplevelfields
    """
    machine = {"TimeoutSeconds": 10, **one({"Type": "Wait", "Seconds": 6000})}

    assert run(emulator, machine)["status"] == "TIMED_OUT"


@pytest.mark.aws(
    "Step Functions",
    "StopExecution",
    "Ends a retry's wait, and keeps error and cause.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html",
)
def test_stopping_an_execution_ends_a_retrys_wait(emulator: Any) -> None:
    """StopExecution aborts at once.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
    """
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 6000}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
        "Parameters": {"Name": "/absent"},
        "Retry": [retry],
    }
    execution = start(emulator, one(task))
    deadline = time.monotonic() + 10
    while not any(e["type"] == "TaskFailed" for e in history(emulator, execution)):
        assert time.monotonic() < deadline, history(emulator, execution)
        time.sleep(0.02)

    emulator.client("stepfunctions").stop_execution(
        executionArn=execution, error="Enough", cause="overtaken"
    )

    ended = finished(emulator, execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Enough", "overtaken")


@pytest.mark.aws(
    "Step Functions",
    "DescribeExecution",
    "Shows error, cause and times of a failed execution.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html",
)
def test_a_failed_execution_shows_error_cause_and_times(emulator: Any) -> None:
    """DescribeExecution: error, cause, startDate, stopDate.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    """
    before = datetime.now(UTC) - timedelta(seconds=1)

    ended = run(emulator, one({"Type": "Fail", "Error": "LaunchFailed", "Cause": "no agent"}))

    assert (ended["status"], ended["error"], ended["cause"]) == (
        "FAILED",
        "LaunchFailed",
        "no agent",
    )
    assert before < ended["startDate"] <= ended["stopDate"] <= datetime.now(UTC)
    assert "output" not in ended


@pytest.mark.aws(
    "Step Functions",
    "DescribeExecution",
    "The output is JSON, a string with its quotes.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html",
)
@pytest.mark.parametrize("value", ["text", 1, None, [], {"a": "b"}])
def test_the_output_of_an_execution_is_json(emulator: Any, value: Any) -> None:
    """DescribeExecution's output is JSON text, a string's with its quotes.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    """
    ended = run(emulator, one({"Type": "Pass", "Result": value}))

    assert json.loads(ended["output"]) == value


@pytest.mark.aws(
    "Step Functions",
    "GetExecutionHistory",
    "Lists each state entered, in order, with times.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html",
)
def test_the_history_has_every_state_that_was_entered(emulator: Any) -> None:
    """GetExecutionHistory, stateEnteredEventDetails, in order, with times.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
    """
    machine = one({"Type": "Pass", "Next": "Second"}, Second={"Type": "Succeed"})
    execution = start(emulator, machine, {"a": 1})
    finished(emulator, execution)

    events = history(emulator, execution)

    entered = [e["stateEnteredEventDetails"] for e in events if e["type"].endswith("StateEntered")]
    assert [state["name"] for state in entered] == ["First", "Second"]
    assert json.loads(entered[0]["input"]) == {"a": 1}
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "ExecutionStarted"
    assert events[-1]["type"] == "ExecutionSucceeded"
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)


@pytest.mark.aws(
    "Step Functions",
    "StartExecution",
    "Executions do not wait for each other.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html",
)
def test_executions_run_side_by_side(emulator: Any) -> None:
    """Standard executions do not wait for each other: 20 waits end well before 20 times one.

    https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
    """
    states = emulator.client("stepfunctions")
    machine = create(emulator, one({"Type": "Wait", "Seconds": 20}))
    started = time.monotonic()

    arns = [states.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(20)]
    ended = [finished(emulator, arn)["status"] for arn in arns]

    assert ended == ["SUCCEEDED"] * 20
    assert time.monotonic() - started < 10 * 20 * emulator.settings.time_scale


@pytest.mark.aws(
    "Step Functions",
    "Task, states:startExecution",
    "Starts a machine with an Input object.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html",
)
def test_a_machine_starts_another_by_its_parameters(emulator: Any) -> None:
    """arn:aws:states:::states:startExecution with StateMachineArn and an Input object.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    """
    child = create(emulator, one({"Type": "Pass"}))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {"StateMachineArn": child, "Input": {"from.$": "$$.Execution.Name"}},
    }

    started = json.loads(run(emulator, one(task))["output"])

    ended = finished(emulator, started["ExecutionArn"])
    assert set(json.loads(ended["input"])) == {"from"}


@pytest.mark.aws(
    "Step Functions",
    "Map",
    "Over an empty array: one state, and an empty array.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html",
)
def test_a_map_over_nothing_is_one_state_and_its_output_an_empty_array(emulator: Any) -> None:
    """The result and the cost of a reconcile run with all clusters at rest.

    https://states-language.net/spec.html#map-state
    """
    each = {"StartAt": "Each", "States": {"Each": {"Type": "Pass", "End": True}}}
    execution = start(
        emulator, one({"Type": "Map", "ItemsPath": "$.all", "ItemProcessor": each}), {"all": []}
    )

    assert json.loads(finished(emulator, execution)["output"]) == []
    entered = [event for event in history(emulator, execution) if "Entered" in event["type"]]
    assert [event["stateEnteredEventDetails"]["name"] for event in entered] == ["First"]


@pytest.mark.aws(
    "Step Functions",
    "Parallel, Map",
    "Branches and iterations run at once.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html",
)
def test_map_and_parallel_run_their_branches_at_once(emulator: Any) -> None:
    """A Map's iterations and a Parallel's branches are concurrent, their results in order.

    https://states-language.net/spec.html#map-state and #parallel-state
    """

    def wait(name: str) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: {"Type": "Wait", "Seconds": 10, "End": True}}}

    each = {**wait("Each"), "ProcessorConfig": {"Mode": "INLINE"}}
    machine = one(
        {"Type": "Map", "ItemsPath": "$.all", "ItemProcessor": each, "Next": "Both"},
        Both={"Type": "Parallel", "Branches": [wait("One"), wait("Two")], "End": True},
    )
    started = time.monotonic()

    ended = run(emulator, machine, {"all": [1, 2, 3]})

    assert json.loads(ended["output"]) == [[1, 2, 3], [1, 2, 3]]
    assert time.monotonic() - started < 4 * 10 * emulator.settings.time_scale
