"""The ends of a command in the emulator, and their events."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.ssm_commands import (
    ABSENT,
    look,
    make_document,
    of_command,
    over,
    refused,
    send,
    start_online,
    state,
    terminate,
)

from labswarm.aws.agent import SsmAgent

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def instance(emulator: RunningEmulator) -> Iterator[str]:
    """An instance that is online."""
    instance_id = start_online(emulator)
    yield instance_id
    terminate(emulator, instance_id)


@pytest.fixture
def passing(emulator: RunningEmulator) -> Iterator[str]:
    """An instance that is online, and the test's own to lose."""
    instance_id = start_online(emulator)
    yield instance_id
    terminate(emulator, instance_id)


class Gate:
    """A script that runs until the gate is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        there = f"test -e {shlex.quote(str(path))}"
        self.script = f"echo began; for _ in $(seq 600); do {there} && break; sleep 0.05; done"

    def open(self) -> None:
        self._path.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "gate")
    yield made
    made.open()


def control(emulator: RunningEmulator, what: str, instance_id: str) -> None:
    answer = urllib3.request("POST", f"{emulator.url}/_emulator/{what}/{instance_id}", timeout=10)
    assert answer.status == 204, answer.data


def running(emulator: RunningEmulator, document: str, instance_id: str, **more: Any) -> str:
    """A command that runs."""
    command_id = send(emulator, document, instance_id, **more)
    eventually(lambda: emulator.recorded("ssm", what="InProgress", command=command_id))
    return command_id


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "A command whose instance dies is InProgress until both timeouts are over, then TimedOut.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_a_command_whose_instance_dies_in_the_middle_times_out(
    emulator: RunningEmulator, passing: str, name: str, gate: Gate
) -> None:
    make_document(emulator, name, gate.script, timeout_s=120)
    command_id = running(emulator, name, passing, TimeoutSeconds=30)
    terminate(emulator, passing)
    eventually(lambda: emulator.recorded("ec2", what="ended", instance=passing))
    # Right after it was sent nobody knows of it yet.
    eventually(lambda: state(emulator, command_id, passing) == ("InProgress", "InProgress"))
    found = over(emulator, command_id, passing)
    assert (found["Status"], found["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    assert (found["ResponseCode"], found["StandardOutputContent"]) == (-1, "")
    (sent,) = emulator.recorded("ssm", what="sent", command=command_id)
    (ended,) = emulator.recorded("ssm", what="DeliveryTimedOut", command=command_id)
    assert ended["at"] - sent["at"] >= 150 * emulator.settings.time_scale
    whole = of_command(emulator, command_id)
    assert (whole["Status"], whole["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    assert (whole["DeliveryTimedOutCount"], whole["ErrorCount"]) == (1, 0)


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "The result of a script that ran while its agent was cut off is reported once the "
    "agent is back.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_a_command_that_ended_while_its_agent_was_cut_off_is_reported_later(
    emulator: RunningEmulator, passing: str, name: str, gate: Gate, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    make_document(emulator, name, f"{gate.script}; touch {done}; echo done")
    command_id = running(emulator, name, passing)
    control(emulator, "cut", passing)
    gate.open()
    eventually(done.exists)
    assert state(emulator, command_id, passing) == ("InProgress", "InProgress")
    control(emulator, "heal", passing)
    found = over(emulator, command_id, passing)
    assert (found["Status"], found["StandardOutputContent"]) == ("Success", "began\ndone\n")


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "A command that waits for an instance that is terminated is Failed, Undeliverable.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_a_command_that_still_waited_when_its_instance_ended_is_undeliverable(
    emulator: RunningEmulator, passing: str, name: str, gate: Gate
) -> None:
    make_document(emulator, name, gate.script)
    for _ in range(5):
        running(emulator, name, passing)
    waits = send(emulator, name, passing)
    eventually(lambda: look(emulator, waits, passing))
    terminate(emulator, passing)
    found = over(emulator, waits, passing)
    assert (found["Status"], found["StatusDetails"]) == ("Failed", "Undeliverable")
    assert of_command(emulator, waits)["StatusDetails"] == "Failed"


@pytest.mark.differs(
    "SSM",
    "CancelCommand",
    "A script that runs when its command is cancelled is not killed: it is Cancelling to its end.",
    "AWS does not promise that it is killed, and nothing in the app cancels commands.",
)
def test_a_command_cancelled_while_it_runs_is_cancelling_until_its_script_ends(
    emulator: RunningEmulator, instance: str, name: str, gate: Gate
) -> None:
    make_document(emulator, name, gate.script)
    command_id = running(emulator, name, instance)
    emulator.client("ssm").cancel_command(CommandId=command_id, InstanceIds=[instance])
    eventually(lambda: state(emulator, command_id, instance) == ("Cancelling", "Cancelling"))
    assert of_command(emulator, command_id)["Status"] == "Cancelling"
    gate.open()
    found = over(emulator, command_id, instance)
    assert (found["Status"], found["StatusDetails"]) == ("Cancelled", "Cancelled")
    assert of_command(emulator, command_id)["Status"] == "Cancelled"


@pytest.fixture
def sent(emulator: RunningEmulator, name: str) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The events about the commands of the document of the test's name."""
    sqs, events = emulator.client("sqs"), emulator.client("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    pattern = {"source": ["aws.ssm"], "detail": {"document-name": [name]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    seen: dict[str, dict[str, Any]] = {}

    def look() -> list[dict[str, Any]]:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        seen.update({m["MessageId"]: json.loads(m["Body"]) for m in got})
        return list(seen.values())

    yield look
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "EventBridge gets each change of state, of the command and of each invocation.",
    "https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ssm.html",
)
def test_changes_of_state_are_sent_to_eventbridge(
    emulator: RunningEmulator, instance: str, name: str, sent: Callable[[], list[dict[str, Any]]]
) -> None:
    make_document(emulator, name, "exit 3", {"Word": {"type": "String"}})
    command_id = send(emulator, name, instance, Parameters={"Word": ["said"]})
    events = eventually(lambda: len(sent()) >= 4 and sent())
    kinds = sorted((event["detail-type"], event["detail"]["status"]) for event in events)
    assert kinds == [
        ("EC2 Command Invocation Status-change Notification", "Failed"),
        ("EC2 Command Invocation Status-change Notification", "InProgress"),
        ("EC2 Command Status-change Notification", "Failed"),
        ("EC2 Command Status-change Notification", "InProgress"),
    ]
    assert {event["detail"]["command-id"] for event in events} == {command_id}
    of_invocations = [event["detail"] for event in events if "Invocation" in event["detail-type"]]
    assert {detail["instance-id"] for detail in of_invocations} == {instance}
    of_commands = [event["detail"] for event in events if "instance-id" not in event["detail"]]
    assert all(detail["parameters"] == {"Word": ["said"]} for detail in of_commands)
    arn = f"arn:aws:ec2:eu-west-1:123456789012:instance/{instance}"
    assert all(event["resources"] == [arn] for event in events)


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "Its status-change events are best effort: with the fault `events` some are lost or come "
    "twice, and GetCommandInvocation still has the status.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-eventbridge-events.html",
)
@pytest.mark.parametrize(("settings", "copies"), [({"loss": 1.0}, 0), ({"duplicates": 1.0}, 2)])
def test_status_events_are_lost_or_come_twice_and_the_command_has_its_status(
    emulator: RunningEmulator,
    instance: str,
    name: str,
    sent: Callable[[], list[dict[str, Any]]],
    settings: dict[str, float],
    copies: int,
) -> None:
    only = "EC2 Command Invocation Status-change Notification"
    url = f"{emulator.url}/_emulator/faults/events"
    put = urllib3.request("PUT", url, json={**settings, "detail_types": [only]}, timeout=10)
    assert put.status == 200
    try:
        make_document(emulator, name, "exit 0")
        command_id = send(emulator, name, instance)
        assert over(emulator, command_id, instance)["Status"] == "Success"
        # The two events of the command as a whole are of another kind, and come once each.
        eventually(lambda: len(sent()) == 2 + 2 * copies)
    finally:
        urllib3.request("DELETE", url, timeout=10)
    kinds = [event["detail-type"] for event in sent()]
    assert kinds.count(only) == 2 * copies


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "With OutputS3BucketName the whole of both outputs is in S3, and the answer says where.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html",
)
def test_the_whole_output_is_stored_in_the_bucket(
    emulator: RunningEmulator, instance: str, name: str
) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    make_document(emulator, name, "printf '%030000d' 0; echo warned >&2")
    command_id = send(
        emulator, name, instance, OutputS3BucketName=name, OutputS3KeyPrefix="some/prefix"
    )
    found = over(emulator, command_id, instance)
    folder = f"some/prefix/{command_id}/{instance}/awsrunShellScript/run"
    bodies = {
        stream: s3.get_object(Bucket=name, Key=f"{folder}/{stream}")["Body"].read()
        for stream in ("stdout", "stderr")
    }
    assert bodies == {"stdout": b"0" * 30_000, "stderr": b"warned\n"}
    assert len(found["StandardOutputContent"]) == 24_000
    host = f"https://s3.eu-west-1.amazonaws.com/{name}"
    assert found["StandardOutputUrl"] == f"{host}/{folder}/stdout"
    assert found["StandardErrorUrl"] == f"{host}/{folder}/stderr"


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "A bucket that is not there, an instance named twice and bad numbers are refused.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html",
)
@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"OutputS3BucketName": "no-such-bucket"}, "InvalidOutputFolder"),
        ({"InstanceIds": ["same", "same"]}, "DuplicateInstanceId"),
        ({"TimeoutSeconds": 2_592_001}, "ValidationException"),
        ({"Comment": "c" * 101}, "ValidationException"),
    ],
)
def test_a_refused_command_is_not_sent(
    emulator: RunningEmulator, instance: str, name: str, more: dict[str, Any], code: str
) -> None:
    make_document(emulator, name, "true")
    given = {"DocumentName": name, "InstanceIds": [instance], **more}
    if more.get("InstanceIds"):
        given["InstanceIds"] = [instance, instance]
    with refused(code):
        emulator.client("ssm").send_command(**given)
    assert not emulator.recorded("ssm", what="sent", document=name)


@pytest.mark.absent(
    "SSM",
    "SendCommand with rate and error controls, targets, alarms, notifications or CloudWatch output",
    "ValidationException, which names the unsupported field",
)
@pytest.mark.parametrize(
    "more",
    [
        {"MaxConcurrency": "1"},
        {"MaxErrors": "1"},
        {"Targets": [{"Key": "tag:labswarm:role", "Values": ["worker"]}]},
        {"CloudWatchOutputConfig": {"CloudWatchOutputEnabled": True}},
        {"AlarmConfiguration": {"Alarms": [{"Name": "any"}]}},
        {"NotificationConfig": {"NotificationType": "Command"}, "ServiceRoleArn": "arn:aws:iam"},
        {"DocumentHash": "0" * 64},
    ],
    ids=lambda more: next(iter(more)),
)
def test_unsupported_parameters_of_send_command_are_refused(
    emulator: RunningEmulator, instance: str, name: str, more: dict[str, Any]
) -> None:
    make_document(emulator, name, "true")
    with refused("ValidationException", next(iter(more))):
        send(emulator, name, instance, **more)
    assert not emulator.recorded("ssm", what="sent", document=name)


@pytest.mark.absent(
    "SSM",
    "documents of other steps than one aws:runShellScript on Linux, or of other types than String",
    "InvalidDocument at SendCommand, which names the supported documents",
)
@pytest.mark.parametrize(
    ("made", "given"),
    [
        ({"action": "aws:runPowerShellScript"}, {}),
        ({"precondition": {"StringEquals": ["platformType", "Windows"]}}, {}),
        ({"parameters": {"Words": {"type": "StringList"}}}, {"Words": ["a"]}),
        ({"timeout_s": "soon"}, {}),
        ({"timeout_s": "172801"}, {}),
    ],
)
def test_a_document_that_the_emulator_does_not_run_is_refused(
    emulator: RunningEmulator, instance: str, name: str, made: dict[str, Any], given: dict[str, Any]
) -> None:
    make_document(emulator, name, "true", **made)
    with refused("InvalidDocument", "this emulator|timeoutSeconds"):
        send(emulator, name, instance, Parameters=given)


@pytest.mark.absent(
    "SSM",
    "documents of AWS's own, such as AWS-RunShellScript",
    "InvalidDocument",
)
def test_there_are_no_documents_of_aws(emulator: RunningEmulator, instance: str) -> None:
    with refused("InvalidDocument"):
        send(emulator, "AWS-RunShellScript", instance, Parameters={"commands": ["true"]})


@pytest.mark.absent(
    "SSM",
    "Automation, sessions, associations, connection status",
    "500, not implemented",
)
@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("start_automation_execution", {"DocumentName": "any"}),
        ("start_session", {"Target": ABSENT}),
        ("create_association", {"Name": "any"}),
        ("get_connection_status", {"Target": ABSENT}),
    ],
)
def test_other_operations_of_systems_manager_are_errors(
    emulator: RunningEmulator, operation: str, given: dict[str, str]
) -> None:
    once = boto3.client(
        "ssm",
        region_name="eu-west-1",
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError) as failed:
        getattr(once, operation)(**given)
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


@pytest.mark.absent(
    "SSM",
    "filters of DescribeInstanceInformation but InstanceIds and PingStatus",
    "InvalidFilterKey, which names the filter",
)
def test_agents_are_not_filtered_in_silence(emulator: RunningEmulator) -> None:
    with refused("InvalidFilterKey", "PlatformTypes"):
        emulator.client("ssm").describe_instance_information(
            Filters=[{"Key": "PlatformTypes", "Values": ["Linux"]}]
        )


@pytest.mark.absent(
    "SSM",
    "filters of ListCommandInvocations, and of ListCommands but InvokedAfter and DocumentName",
    "InvalidFilterKey, which names the filter",
)
def test_lists_of_commands_are_not_filtered_in_silence(emulator: RunningEmulator) -> None:
    ssm = emulator.client("ssm")
    for listing in (ssm.list_commands, ssm.list_command_invocations):
        with refused("InvalidFilterKey", "Status"):
            listing(Filters=[{"key": "Status", "value": "Success"}])


@pytest.mark.aws(
    "SSM",
    "ListCommands",
    "The filters InvokedAfter and DocumentName list a document's commands from then on.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandFilter.html",
)
def test_commands_are_listed_by_their_document_and_from_a_time_on(
    emulator: RunningEmulator, name: str
) -> None:
    ssm, instance = emulator.client("ssm"), start_online(emulator)
    make_document(emulator, name, "true")
    command = SsmAgent(ssm).send(instance, name, {}, "label")

    def listed(document: str, after: str) -> list[str]:
        filters = [
            {"key": "DocumentName", "value": document},
            {"key": "InvokedAfter", "value": after},
        ]
        answer = ssm.list_commands(InstanceId=instance, Filters=filters)
        return [one["CommandId"] for one in answer["Commands"]]

    assert eventually(lambda: listed(name, "2026-01-01T00:00:00Z")) == [command]
    assert listed(name, "2999-01-01T00:00:00Z") == []
    assert listed("AWS-RunShellScript", "2026-01-01T00:00:00Z") == []
    terminate(emulator, instance)


@pytest.mark.aws(
    "SSM",
    "ListCommands",
    "A token that is none is InvalidNextToken, and a page has 1 to 50 commands.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html",
)
def test_a_page_that_cannot_be_is_refused(emulator: RunningEmulator) -> None:
    ssm = emulator.client("ssm")
    with refused("InvalidNextToken"):
        ssm.list_commands(NextToken="next")
    with refused("ValidationException", "maxResults"):
        ssm.list_commands(MaxResults=51)
    with refused("ValidationException", "maxResults"):
        ssm.describe_instance_information(MaxResults=51)


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "A command has an invocation of its own on each of its instances.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_one_command_may_end_differently_on_its_instances(
    emulator: RunningEmulator, instance: str, passing: str, name: str
) -> None:
    make_document(emulator, name, f'test "$LABSWARM_INSTANCE" = {instance}')
    command_id = send(emulator, name, instance, passing)
    ends = {i: over(emulator, command_id, i)["Status"] for i in (instance, passing)}
    assert ends == {instance: "Success", passing: "Failed"}
    whole = of_command(emulator, command_id)
    assert (whole["Status"], whole["TargetCount"], whole["ErrorCount"]) == ("Failed", 2, 1)
