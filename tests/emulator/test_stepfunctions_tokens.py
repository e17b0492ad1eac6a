"""Tasks that wait for their token: the answers, and late ones."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import eventually
from tests.support.state_machines import finished, history, make_queue, one, output, start

pytestmark = pytest.mark.emulator


class Waiting:
    """Machines whose task sends its token to a queue, and the messages from there."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator
        self.states = emulator.client("stepfunctions")
        self.queue = make_queue(emulator)

    def task(self, **fields: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {
                "QueueUrl": self.queue,
                "MessageBody": {"token.$": "$$.Task.Token", "try.$": "$$.State.RetryCount"},
            },
            **fields,
        }

    def start(self, **fields: Any) -> str:
        caught = {"Caught": {"Type": "Pass", "End": True}} if "Catch" in fields else {}
        return start(self.emulator, one(self.task(**fields), **caught))

    def token(self) -> str:
        """The next token that comes."""
        return str(self.message()["token"])

    def message(self) -> dict[str, Any]:
        sqs = self.emulator.client("sqs")

        def received() -> Any:
            messages = sqs.receive_message(QueueUrl=self.queue).get("Messages", [])
            for message in messages:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            return messages and json.loads(messages[0]["Body"])

        message: dict[str, Any] = eventually(received)
        return message


@pytest.fixture
def waiting(emulator: Any) -> Waiting:
    return Waiting(emulator)


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.aws(
    "Step Functions",
    "SendTaskSuccess",
    "The task ends, and the output is its result.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token",
)
def test_a_task_waits_for_its_token(emulator: Any, waiting: Waiting) -> None:
    execution = waiting.start(ResultPath="$.answer")

    token = waiting.token()
    assert emulator.client("stepfunctions").describe_execution(executionArn=execution)[
        "status"
    ] == ("RUNNING")
    waiting.states.send_task_success(taskToken=token, output='{"said": "yes"}')

    assert json.loads(finished(emulator, execution)["output"]) == {"answer": {"said": "yes"}}
    types = [event["type"] for event in history(emulator, execution)]
    assert types[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


@pytest.mark.aws(
    "Step Functions",
    "SendTaskFailure",
    "The task fails with the error and the cause, both optional.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html",
)
@pytest.mark.parametrize(
    ("message", "error", "cause"),
    [({"error": "NoSeat", "cause": "full"}, "NoSeat", "full"), ({}, "", "")],
)
def test_a_task_fails_by_its_token(
    emulator: Any, waiting: Waiting, message: dict[str, str], error: str, cause: str
) -> None:
    execution = waiting.start(
        Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}], Next="Caught"
    )

    waiting.states.send_task_failure(taskToken=waiting.token(), **message)

    caught = json.loads(finished(emulator, execution)["output"])
    assert (caught["Error"], caught["Cause"]) == (error, cause)


@pytest.mark.aws(
    "Step Functions",
    "$$.Task.Token",
    "Each attempt has a token of its own: the answer to the first is none to the second.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token",
)
def test_a_retry_waits_again(emulator: Any, waiting: Waiting) -> None:
    execution = waiting.start(Retry=[{"ErrorEquals": ["Again"], "MaxAttempts": 1}])

    first = waiting.message()
    waiting.states.send_task_failure(taskToken=first["token"], error="Again")
    second = waiting.message()
    too_late = refusal(waiting.states.send_task_success, taskToken=first["token"], output="1")
    waiting.states.send_task_success(taskToken=second["token"], output="2")

    assert (first["try"], second["try"]) == (0, 1)
    assert first["token"] != second["token"]
    assert too_late == "TaskTimedOut"
    assert json.loads(finished(emulator, execution)["output"]) == 2


@pytest.mark.aws(
    "Step Functions",
    "SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat",
    "TaskTimedOut when the task was answered, has timed out, or its execution has ended.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html",
)
@pytest.mark.parametrize("ended_by", ["answer", "timeout", "stop"])
def test_an_answer_can_come_too_late(emulator: Any, waiting: Waiting, ended_by: str) -> None:
    execution = waiting.start(TimeoutSeconds=3 if ended_by == "timeout" else 600)
    token = waiting.token()
    if ended_by == "answer":
        waiting.states.send_task_success(taskToken=token, output="1")
    if ended_by == "stop":
        waiting.states.stop_execution(executionArn=execution)
    finished(emulator, execution)

    codes = [
        refusal(waiting.states.send_task_success, taskToken=token, output="1"),
        refusal(waiting.states.send_task_failure, taskToken=token),
        refusal(waiting.states.send_task_heartbeat, taskToken=token),
    ]

    assert codes == ["TaskTimedOut"] * 3


@pytest.mark.aws(
    "Step Functions",
    "SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat",
    "InvalidToken for a value that is not a token.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html",
)
def test_an_unknown_token_is_refused(emulator: Any) -> None:
    states = emulator.client("stepfunctions")

    codes = [
        refusal(states.send_task_success, taskToken="none", output="1"),
        refusal(states.send_task_failure, taskToken="none"),
        refusal(states.send_task_heartbeat, taskToken="none"),
    ]

    assert codes == ["InvalidToken"] * 3


@pytest.mark.aws(
    "Step Functions",
    "SendTaskSuccess",
    "InvalidOutput for an output that is not JSON; the task keeps waiting.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html",
)
def test_an_answer_has_to_be_json(emulator: Any, waiting: Waiting) -> None:
    execution = waiting.start()
    token = waiting.token()

    no_json = refusal(waiting.states.send_task_success, taskToken=token, output="yes")
    long = refusal(waiting.states.send_task_success, taskToken=token, output=f'"{"x" * 262_144}"')
    waiting.states.send_task_success(taskToken=token, output="1")

    assert (no_json, long) == ("InvalidOutput", "ValidationException")
    assert finished(emulator, execution)["status"] == "SUCCEEDED"


@pytest.mark.aws(
    "Step Functions",
    "HeartbeatSeconds",
    "Without a heartbeat in time: States.Timeout, which States.HeartbeatTimeout matches too.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
@pytest.mark.parametrize("name", ["States.HeartbeatTimeout", "States.Timeout"])
def test_a_missed_heartbeat_is_a_timeout(emulator: Any, waiting: Waiting, name: str) -> None:
    execution = waiting.start(
        HeartbeatSeconds=5, Catch=[{"ErrorEquals": [name], "Next": "Caught"}], Next="Caught"
    )

    caught = json.loads(finished(emulator, execution)["output"])

    assert caught["Error"] == "States.Timeout"


@pytest.mark.aws(
    "Step Functions",
    "SendTaskHeartbeat",
    "Each heartbeat restarts HeartbeatSeconds; without TimeoutSeconds as long as heartbeats come.",
    "https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskHeartbeat.html",
)
def test_heartbeats_keep_a_task_alive(emulator: Any, waiting: Waiting) -> None:
    execution = waiting.start(HeartbeatSeconds=40)
    token = waiting.token()
    real = emulator.settings.time_scale
    began = time.monotonic()

    # Longer than the heartbeat, and than the 60 s that the specification gives such a task.
    while time.monotonic() - began < 90 * real:
        waiting.states.send_task_heartbeat(taskToken=token)
        time.sleep(4 * real)
    waiting.states.send_task_success(taskToken=token, output="1")

    assert finished(emulator, execution)["status"] == "SUCCEEDED"


@pytest.mark.aws(
    "Step Functions",
    "Task",
    "A function may be given its task's token, and answer while it is still being called.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html",
)
@pytest.mark.parametrize("fields", [{}, {"HeartbeatSeconds": 6000}])
def test_an_answer_may_come_before_the_call_returns(emulator: Any, fields: dict[str, Any]) -> None:
    task = {
        **fields,
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess.waitForTaskToken",
        "Parameters": {"TaskToken.$": "$$.Task.Token", "Output": '{"by": "itself"}'},
    }

    assert output(emulator, one(task)) == {"by": "itself"}
