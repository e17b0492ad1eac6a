"""The names of errors, and the reactions to them."""

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from tests.support.lambda_functions import SOURCE, create
from tests.support.state_machines import finished, history, one, output, run, start

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def function(emulator: Any) -> str:
    """The ARN of a function that does what its event says."""
    return create(emulator, SOURCE)


CAUGHT = {"Type": "Pass", "End": True}
MISSING_COMMAND = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
    "Parameters": {"Name": "/contract/absent"},
}


def catching(*names: str) -> dict[str, Any]:
    return {"Catch": [{"ErrorEquals": list(names), "Next": "Caught"}]}


@pytest.mark.aws(
    "Step Functions",
    "Task, aws-sdk",
    "Errors have the names of the Java SDK.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html",
)
@pytest.mark.parametrize(
    ("resource", "parameters", "error"),
    [
        ("ssm:getParameter", {"Name": "/absent"}, "Ssm.ParameterNotFoundException"),
        (
            "dynamodb:getItem",
            {"TableName": "absent", "Key": {"id": {"S": "x"}}},
            "DynamoDb.ResourceNotFoundException",
        ),
        (
            "autoscaling:createAutoScalingGroup",
            {"AutoScalingGroupName": "contract-nothing", "MinSize": 0, "MaxSize": 0},
            "AutoScaling.AutoScalingException",
        ),
        (
            "ec2:terminateInstances",
            {"InstanceIds": ["i-00000000"]},
            "Ec2.Ec2Exception",
        ),
        (
            "secretsmanager:getSecretValue",
            {"SecretId": "absent"},
            "SecretsManager.ResourceNotFoundException",
        ),
        ("eventbridge:describeRule", {"Name": "x"}, "EventBridge.ResourceNotFoundException"),
    ],
)
def test_errors_of_sdk_tasks_have_the_java_sdks_names(
    emulator: Any, resource: str, parameters: dict[str, Any], error: str
) -> None:
    """Service prefix, then the error with the suffix Exception; the service's own where unnamed.

    https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
    """
    task = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{resource}"}
    machine = one({**task, "Parameters": parameters, **catching("States.ALL")}, Caught=CAUGHT)

    assert output(emulator, machine)["Error"] == error


@pytest.mark.aws(
    "Step Functions",
    "Catch",
    "An error is caught by its own name, not by another.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_an_error_is_caught_by_its_name_only(emulator: Any) -> None:
    """Error names match exactly: https://states-language.net/spec.html#error-handling"""
    machine = one({**MISSING_COMMAND, **catching("ssm.ParameterNotFound")}, Caught=CAUGHT)

    assert run(emulator, machine)["error"] == "Ssm.ParameterNotFoundException"


@pytest.mark.aws(
    "Step Functions",
    "Catch, Retry",
    "States.Runtime is caught by nothing, States.ALL included.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_a_runtime_error_is_never_caught(emulator: Any) -> None:
    """States.Runtime always fails the execution: States.ALL does not catch it.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    task = {**MISSING_COMMAND, "Parameters": {"Name.$": "$.absent"}}

    ended = run(emulator, one({**task, **catching("States.ALL")}, Caught=CAUGHT))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")


@pytest.mark.aws(
    "Step Functions",
    "Payload size",
    "States.DataLimitExceeded is caught by its own name, not by States.ALL.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
@pytest.mark.parametrize(
    ("caught_by", "status"), [("States.ALL", "FAILED"), ("States.DataLimitExceeded", "SUCCEEDED")]
)
def test_a_too_big_result_is_caught_by_its_own_name_only(
    emulator: Any, function: str, caught_by: str, status: str
) -> None:
    """States.DataLimitExceeded cannot be caught by States.ALL; the limit is 256 KiB.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    task = {"Type": "Task", "Resource": function, "Parameters": {"do": "return", "size": 300_000}}

    ended = run(emulator, one({**task, **catching(caught_by)}, Caught=CAUGHT))

    assert ended["status"] == status, ended.get("error")


@pytest.mark.aws(
    "Step Functions",
    "Catch",
    "States.TaskFailed matches any error but States.Timeout.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_task_failed_catches_all_but_timeouts(emulator: Any, function: str) -> None:
    """States.TaskFailed matches any error except States.Timeout.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    task = {"Type": "Task", "Resource": function, "TimeoutSeconds": 10}
    fails = {**task, "Parameters": {"do": "fail", "type": "Transient", "message": "no"}}
    sleeps = {**task, "Parameters": {"do": "sleep", "seconds": 5}}

    caught = output(emulator, one({**fails, **catching("States.TaskFailed")}, Caught=CAUGHT))
    ended = run(emulator, one({**sleeps, **catching("States.TaskFailed")}, Caught=CAUGHT))

    assert caught["Error"] == "Transient"
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")


@pytest.mark.aws(
    "Step Functions",
    "Task, lambda:invoke",
    "The error is the exception's type, the cause its payload as JSON.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/tutorial-handling-error-conditions.html",
)
def test_a_functions_exception_is_the_error_and_its_payload_the_cause(
    emulator: Any, function: str
) -> None:
    """The error name is the errorType, the Cause the JSON of the error's payload.

    https://docs.aws.amazon.com/step-functions/latest/dg/tutorial-handling-error-conditions.html
    """
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {
            "FunctionName": function,
            "Payload": {"do": "fail", "type": "Permanent", "message": "overtaken"},
        },
        **catching("Permanent"),
    }

    caught = output(emulator, one(task, Caught=CAUGHT))

    assert caught["Error"] == "Permanent"
    cause = json.loads(caught["Cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("Permanent", "overtaken")
    assert "stackTrace" in cause


@pytest.mark.aws(
    "Step Functions",
    "Task, lambda:invoke",
    "Lambda's own errors are named Lambda.<error>.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_lambdas_own_errors_have_its_prefix(emulator: Any) -> None:
    """Service errors are Lambda.<error>: a function that is not there, too many requests.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "absent"},
    }

    assert run(emulator, one(task))["error"] == "Lambda.ResourceNotFoundException"


@pytest.mark.aws(
    "Step Functions",
    "Retry",
    "Waits IntervalSeconds times BackoffRate, at most MaxDelaySeconds; RetryCount counts.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_a_retry_waits_its_backoff_and_counts_itself(emulator: Any, function: str) -> None:
    """IntervalSeconds times BackoffRate per attempt, at most MaxDelaySeconds; RetryCount counts.

    https://states-language.net/spec.html#errors
    """
    task = {
        "Type": "Task",
        "Resource": function,
        "Parameters": {
            "do": "fail-until",
            "count.$": "$$.State.RetryCount",
            "attempts": 3,
            "type": "Transient",
        },
        "Retry": [
            {
                "ErrorEquals": ["Transient"],
                "IntervalSeconds": 4,
                "BackoffRate": 10,
                "MaxDelaySeconds": 8,
                "MaxAttempts": 3,
            }
        ],
    }
    started = time.monotonic()

    result = output(emulator, one(task))

    waited = (4 + 8 + 8) * emulator.settings.time_scale
    assert result == {"count": 3}
    assert waited <= time.monotonic() - started < waited + 3


@pytest.mark.aws(
    "Step Functions",
    "Retry",
    "JitterStrategy FULL waits at random.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
)
def test_a_jittered_retry_waits_at_most_its_interval(emulator: Any, function: str) -> None:
    """JitterStrategy FULL: a random wait between 0 and the interval.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    retrier = {
        "ErrorEquals": ["Transient"],
        "IntervalSeconds": 2,
        "BackoffRate": 1,
        "MaxAttempts": 8,
        "JitterStrategy": "FULL",
    }
    task = {
        "Type": "Task",
        "Resource": function,
        "Parameters": {"do": "fail", "type": "Transient", "message": "no"},
        "Retry": [retrier],
    }
    execution = start(emulator, one(task))

    assert finished(emulator, execution)["error"] == "Transient"
    events = history(emulator, execution)
    failures = [e["timestamp"] for e in events if e["type"].endswith("Failed")][:9]
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(failures)]
    assert len(waits) == 8
    assert len({round(wait, 2) for wait in waits}) > 1, f"no jitter in {waits}"


@pytest.mark.aws(
    "Step Functions",
    "Task",
    "TimeoutSeconds ends it with States.Timeout.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html",
)
def test_a_task_that_outlasts_its_timeout_fails_with_it(emulator: Any, function: str) -> None:
    """TimeoutSeconds of a Task: States.Timeout. https://states-language.net/spec.html#timeouts"""
    task = {
        "Type": "Task",
        "Resource": function,
        "Parameters": {"do": "sleep", "seconds": 10},
        "TimeoutSeconds": 20,
        **catching("States.Timeout"),
    }
    started = time.monotonic()

    caught = output(emulator, one(task, Caught=CAUGHT))

    assert caught["Error"] == "States.Timeout"
    assert time.monotonic() - started < 20 * emulator.settings.time_scale + 3
