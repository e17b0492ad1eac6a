"""The API of executions: names, inputs, lists, histories in pages, quotas, status events."""

import json
import threading
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import eventually
from tests.support.state_machines import (
    branch,
    create,
    finished,
    history,
    make_queue,
    one,
    run,
    start,
)

pytestmark = pytest.mark.emulator

PASS: dict[str, Any] = {"Type": "Pass"}
LONG = {"Type": "Wait", "Seconds": 6000}


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    error = refused.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.mark.aws(
    "Step Functions",
    "StartExecution",
    "InvalidName: 1 to 80 characters, no space, bracket, wildcard or special character.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html",
)
@pytest.mark.parametrize("name", ["a b", "a:b", "a/b", "a*", "a#b", 'a"b', "x" * 81, "a\x07"])
def test_a_name_that_is_none_is_refused(emulator: Any, name: str) -> None:
    machine = create(emulator, one(PASS))
    begin = emulator.client("stepfunctions").start_execution

    assert refusal(begin, stateMachineArn=machine, name=name)[0] == "InvalidName"


@pytest.mark.aws(
    "Step Functions",
    "StartExecution",
    "InvalidExecutionInput for no JSON; longer than 256 KiB is refused; {} when there is none.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html",
)
def test_an_input_has_to_be_json(emulator: Any) -> None:
    states = emulator.client("stepfunctions")
    machine = create(emulator, one(PASS))
    long = json.dumps("x" * 262_143)

    no_json, said = refusal(states.start_execution, stateMachineArn=machine, input="{'a': 1}")
    too_long, _ = refusal(states.start_execution, stateMachineArn=machine, input=long)
    longest = states.start_execution(stateMachineArn=machine, input=long.replace("xx", "x", 1))
    without = states.start_execution(stateMachineArn=machine)

    assert no_json == "InvalidExecutionInput"
    assert said.startswith("Invalid State Machine Execution Input: '")
    assert too_long == "ValidationException"
    assert finished(emulator, longest["executionArn"])["status"] == "SUCCEEDED"
    assert json.loads(finished(emulator, without["executionArn"])["output"]) == {}


@pytest.mark.aws(
    "Step Functions",
    "StartExecution",
    "ExecutionAlreadyExists for a name that has been used, when its execution has ended too.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html",
)
def test_a_name_is_used_once(emulator: Any) -> None:
    states = emulator.client("stepfunctions")
    given = {"stateMachineArn": create(emulator, one(PASS)), "name": "once", "input": "{}"}
    finished(emulator, states.start_execution(**given)["executionArn"])

    code, message = refusal(states.start_execution, **given)

    assert code == "ExecutionAlreadyExists"
    assert message.startswith("Execution Already Exists: 'arn:aws:states:")


@pytest.mark.aws(
    "Step Functions",
    "StartExecution",
    "Of several starts at once with one name there is one execution.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html",
)
def test_starts_at_once_are_one(emulator: Any) -> None:
    states = emulator.client("stepfunctions")
    machine = create(emulator, one(LONG))
    arns: list[str] = []

    def begin() -> None:
        arns.append(states.start_execution(stateMachineArn=machine, name="one")["executionArn"])

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(arns), len(set(arns))) == (8, 1)
    assert len(states.list_executions(stateMachineArn=machine)["executions"]) == 1
    states.stop_execution(executionArn=arns[0])


@pytest.mark.aws(
    "Step Functions",
    "StartExecution, DescribeExecution, GetExecutionHistory",
    "StateMachineDoesNotExist, ExecutionDoesNotExist, InvalidArn.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html",
)
def test_a_missing_object_is_named(emulator: Any) -> None:
    states = emulator.client("stepfunctions")
    machine = create(emulator, one(PASS))
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:absent"

    shown = [
        refusal(states.start_execution, stateMachineArn=f"{machine}x")[0],
        refusal(states.describe_execution, executionArn=execution)[0],
        refusal(states.get_execution_history, executionArn=execution)[0],
        refusal(states.stop_execution, executionArn=execution)[0],
        refusal(states.describe_execution, executionArn="no arn")[0],
    ]

    assert shown == [
        "StateMachineDoesNotExist",
        "ExecutionDoesNotExist",
        "ExecutionDoesNotExist",
        "ExecutionDoesNotExist",
        "InvalidArn",
    ]


@pytest.mark.aws(
    "Step Functions",
    "StopExecution",
    "Aborts at once whatever the execution does; again it answers with the same time.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html",
)
@pytest.mark.parametrize("inside", ["nothing", "Parallel", "Map"])
def test_an_execution_is_stopped_in_the_middle(emulator: Any, inside: str) -> None:
    states = emulator.client("stepfunctions")
    token = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": make_queue(emulator), "MessageBody.$": "$$.Task.Token"},
    }
    machine: Any = {
        "nothing": token,
        "Parallel": {"Type": "Parallel", "Branches": [branch("In", token)]},
        "Map": {"Type": "Map", "ItemProcessor": branch("In", token)},
    }[inside]
    execution = start(emulator, one(machine), [1, 2])
    eventually(lambda: any(e["type"] == "TaskSubmitted" for e in history(emulator, execution)))

    first = states.stop_execution(executionArn=execution, error="Enough")
    ended = finished(emulator, execution)
    again = states.stop_execution(executionArn=execution)

    assert (ended["status"], ended["error"]) == ("ABORTED", "Enough")
    assert again["stopDate"] == ended["stopDate"] >= first["stopDate"].replace(microsecond=0)
    assert history(emulator, execution)[-1]["type"] == "ExecutionAborted"


@pytest.mark.aws(
    "Step Functions",
    "StopExecution",
    "An execution that has just been started can be stopped.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html",
)
def test_an_execution_is_stopped_at_its_very_begin(emulator: Any) -> None:
    states = emulator.client("stepfunctions")
    machine = create(emulator, one(LONG))

    for _ in range(5):
        execution = states.start_execution(stateMachineArn=machine)["executionArn"]
        states.stop_execution(executionArn=execution)
        assert finished(emulator, execution)["status"] == "ABORTED"


@pytest.mark.aws(
    "Step Functions",
    "TimeoutSeconds of a machine",
    "Ends what runs, with the status TIMED_OUT, a stopDate, and ExecutionTimedOut as last event.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html",
)
def test_an_execution_that_timed_out_says_when(emulator: Any) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": make_queue(emulator), "MessageBody": "never answered"},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Never"}],
    }
    execution = start(
        emulator, {"TimeoutSeconds": 5, **one({**task, "Next": "Never"}, Never={"Type": "Succeed"})}
    )

    ended = finished(emulator, execution)

    assert ended["status"] == "TIMED_OUT"
    assert ended["startDate"] <= ended["stopDate"]
    assert history(emulator, execution)[-1]["type"] == "ExecutionTimedOut"


@pytest.mark.aws(
    "Step Functions",
    "ListExecutions",
    "The latest first, by status, in pages; a status that there is not is refused.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html",
)
def test_executions_are_listed(emulator: Any) -> None:
    states = emulator.client("stepfunctions")
    fails = {"Variable": "$.fail", "BooleanEquals": True, "Next": "Failed"}
    machine = create(
        emulator,
        one(
            {"Type": "Choice", "Choices": [fails], "Default": "Good"},
            Failed={"Type": "Fail"},
            Good={"Type": "Succeed"},
        ),
    )
    for name, failing in (("a", False), ("b", True), ("c", False)):
        given = {"name": name, "input": json.dumps({"fail": failing})}
        started = states.start_execution(stateMachineArn=machine, **given)
        finished(emulator, started["executionArn"])

    def listed(**asked: Any) -> list[str]:
        found = states.list_executions(stateMachineArn=machine, **asked)["executions"]
        return [execution["name"] for execution in found]

    first = states.list_executions(stateMachineArn=machine, maxResults=2)
    assert listed() == ["c", "b", "a"]
    assert (listed(statusFilter="SUCCEEDED"), listed(statusFilter="FAILED")) == (["c", "a"], ["b"])
    assert listed(statusFilter="RUNNING") == []
    assert [each["name"] for each in first["executions"]] == ["c", "b"]
    assert listed(maxResults=2, nextToken=first["nextToken"]) == ["a"]
    code, said = refusal(states.list_executions, stateMachineArn=machine, statusFilter="done")
    assert code == "ValidationException"
    assert "SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING" in said


@pytest.mark.aws(
    "Step Functions",
    "GetExecutionHistory",
    "In pages of 100 or maxResults, in either order, with or without the data.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html",
)
def test_a_history_comes_in_pages(emulator: Any) -> None:
    read = emulator.client("stepfunctions").get_execution_history
    execution = start(
        emulator, one({"Type": "Map", "ItemProcessor": branch("Each", PASS)}), list(range(30))
    )
    finished(emulator, execution)

    pages: list[list[dict[str, Any]]] = []
    token: dict[str, Any] = {}
    while True:
        page = read(executionArn=execution, **token)
        pages.append(page["events"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}

    events = [event["id"] for page in pages for event in page]
    assert [len(page) for page in pages] == [100, len(events) - 100]
    assert events == list(range(1, 30 * 4 + 6 + 1))
    (last,) = read(executionArn=execution, reverseOrder=True, maxResults=1)["events"]
    assert last["type"] == "ExecutionSucceeded"
    bare = read(executionArn=execution, includeExecutionData=False)["events"][0]
    assert "input" not in bare["executionStartedEventDetails"]
    assert refusal(read, executionArn=execution, nextToken="none")[0] == "InvalidToken"


@pytest.mark.aws(
    "Step Functions",
    "Execution history",
    "At 24,999 events the next is ExecutionSucceeded, or the execution fails: States.Runtime.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-history-limit",
)
def test_a_history_has_25000_events(emulator: Any) -> None:
    each = {
        "StartAt": "One",
        "States": {"One": {**PASS, "Next": "Two"}, "Two": {**PASS, "End": True}},
    }
    machine = one({"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": each})
    execution = start(emulator, machine, list(range(4_300)))

    eventually(
        lambda: (
            emulator.client("stepfunctions").describe_execution(executionArn=execution)["status"]
            != "RUNNING"
        ),
        within_s=60,
        every_s=0.2,
    )

    ended = finished(emulator, execution)
    (last,) = emulator.client("stepfunctions").get_execution_history(
        executionArn=execution, reverseOrder=True, maxResults=1
    )["events"]
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    assert "reached the maximum number of history events (25000)" in ended["cause"]
    assert (last["id"], last["type"]) == (25_000, "ExecutionFailed")


@pytest.mark.aws(
    "Step Functions",
    "Payload size",
    "256 KiB of UTF-8 for the result of Parameters, too: States.DataLimitExceeded, not "
    "by States.ALL.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html",
)
def test_parameters_have_a_size(emulator: Any) -> None:
    state = {**PASS, "Parameters": {"x.$": "States.Format('{}{}', $.é, $.é)"}}

    ended = run(emulator, one(state), {"é": "x" * 140_000})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


@pytest.mark.absent(
    "Step Functions",
    "RedriveExecution",
    "ExecutionNotRedrivable; redriveStatus is NOT_REDRIVABLE.",
)
def test_an_execution_is_not_redriven(emulator: Any) -> None:
    ended = run(emulator, one({"Type": "Fail"}))

    code, _ = refusal(
        emulator.client("stepfunctions").redrive_execution, executionArn=ended["executionArn"]
    )

    assert code == "ExecutionNotRedrivable"
    assert (ended["redriveCount"], ended["redriveStatus"]) == (0, "NOT_REDRIVABLE")


class StatusEvents:
    """A queue that gets the status events of one machine."""

    def __init__(self, emulator: Any, machine: str) -> None:
        self.emulator = emulator
        self.queue = make_queue(emulator)
        rule = f"contract-{uuid.uuid4().hex[:12]}"
        pattern = {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine]},
        }
        events = emulator.client("events")
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        arn = emulator.client("sqs").get_queue_attributes(
            QueueUrl=self.queue, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
        self.seen: list[dict[str, Any]] = []

    def until(self, count: int) -> list[dict[str, Any]]:
        """The events once there are `count`, by their status' time."""
        sqs = self.emulator.client("sqs")

        def enough() -> bool:
            got = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            for message in got.get("Messages", []):
                self.seen.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            return len(self.seen) >= count

        eventually(enough)
        return sorted(self.seen, key=lambda event: event["detail"]["status"] != "RUNNING")


@pytest.mark.aws(
    "Step Functions",
    "Execution Status Change",
    "An event at each execution's begin and end, with DescribeExecution's fields.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html",
)
@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_each_status_is_sent(emulator: Any, status: str) -> None:
    states = emulator.client("stepfunctions")
    definition: dict[str, Any] = {
        "SUCCEEDED": one({**PASS, "Result": {"made": 1}}),
        "FAILED": one({"Type": "Fail", "Error": "Boom", "Cause": "why"}),
        "TIMED_OUT": {"TimeoutSeconds": 2, **one(LONG)},
        "ABORTED": one(LONG),
    }[status]
    machine = create(emulator, definition)
    events = StatusEvents(emulator, machine)
    started = states.start_execution(stateMachineArn=machine, name="sample", input='{"a": 1}')
    execution = started["executionArn"]
    if status == "ABORTED":
        states.stop_execution(executionArn=execution, error="Boom", cause="why")
    ended = finished(emulator, execution)

    begin, end = events.until(2)

    def ms(moment: Any) -> int:
        return int(moment.timestamp() * 1000)

    assert [begin["detail"]["status"], end["detail"]["status"]] == ["RUNNING", status]
    assert end["source"] == "aws.states"
    assert end["resources"] == [execution]
    assert (begin["detail"]["stopDate"], begin["detail"]["output"]) == (None, None)
    detail = end["detail"]
    shown = {name: detail[name] for name in ("executionArn", "stateMachineArn", "name", "input")}
    assert shown == {
        "executionArn": execution,
        "stateMachineArn": machine,
        "name": "sample",
        "input": '{"a": 1}',
    }
    assert abs(detail["startDate"] - ms(ended["startDate"])) < 1000
    assert abs(detail["stopDate"] - ms(ended["stopDate"])) < 1000
    failed = ("Boom", "why") if status in ("FAILED", "ABORTED") else (None, None)
    assert (detail["error"], detail["cause"]) == failed
    assert detail["output"] == ('{"made":1}' if status == "SUCCEEDED" else None)
    assert detail["inputDetails"] == {"included": True}
