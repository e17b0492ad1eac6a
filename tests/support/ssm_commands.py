"""The shared parts of Run Command's contract tests."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running_emulator import RunningEmulator, eventually

OPEN = ("Pending", "InProgress", "Delayed", "Cancelling")
ABSENT = "i-0123456789abcdef0"


def start_instance(emulator: RunningEmulator, **tags: str) -> str:
    """An instance of the lab's, not waited for."""
    tagged = [
        {"Key": key, "Value": value} for key, value in {"labswarm:role": "worker", **tags}.items()
    ]
    ran = emulator.client("ec2").run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.medium",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tagged}],
    )
    instance_id: str = ran["Instances"][0]["InstanceId"]
    return instance_id


def start_online(emulator: RunningEmulator) -> str:
    """An instance whose agent is online."""
    instance_id = start_instance(emulator)
    eventually(lambda: ping(emulator, instance_id) == "Online")
    return instance_id


def terminate(emulator: RunningEmulator, *instance_ids: str) -> None:
    emulator.client("ec2").terminate_instances(InstanceIds=list(instance_ids))


def ping(emulator: RunningEmulator, instance_id: str) -> str | None:
    listed = emulator.client("ssm").describe_instance_information(
        Filters=[{"Key": "InstanceIds", "Values": [instance_id]}]
    )["InstanceInformationList"]
    return listed[0]["PingStatus"] if listed else None


def make_document(
    emulator: RunningEmulator,
    name: str,
    command: str,
    parameters: dict[str, Any] | None = None,
    timeout_s: int | str = 600,
    **step: Any,
) -> str:
    """A document of one script; its name."""
    content = {
        "schemaVersion": "2.2",
        "description": "for a test",
        "parameters": parameters or {},
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": "run",
                "inputs": {"timeoutSeconds": str(timeout_s), "runCommand": [command]},
                **step,
            }
        ],
    }
    emulator.client("ssm").create_document(
        Name=name, DocumentType="Command", Content=json.dumps(content)
    )
    return name


def send(emulator: RunningEmulator, document: str, *instances: str, **more: Any) -> str:
    command: dict[str, Any] = emulator.client("ssm").send_command(
        DocumentName=document, InstanceIds=list(instances), **more
    )["Command"]
    assert command["Status"] == "Pending"
    return str(command["CommandId"])


def look(emulator: RunningEmulator, command_id: str, instance_id: str) -> dict[str, Any] | None:
    """The invocation, or None while it is not known."""
    try:
        found: dict[str, Any] = emulator.client("ssm").get_command_invocation(
            CommandId=command_id, InstanceId=instance_id
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvocationDoesNotExist":
            raise
        return None
    return found


def state(emulator: RunningEmulator, command_id: str, instance_id: str) -> tuple[str, str] | None:
    """Status and StatusDetails of the invocation, or None while it is not known."""
    found = look(emulator, command_id, instance_id)
    return (found["Status"], found["StatusDetails"]) if found else None


def over(emulator: RunningEmulator, command_id: str, instance_id: str) -> dict[str, Any]:
    """The invocation once it has ended."""

    def ended() -> dict[str, Any] | None:
        found = look(emulator, command_id, instance_id)
        return found if found and found["Status"] not in OPEN else None

    found = eventually(ended)
    assert found is not None
    return found


def of_command(emulator: RunningEmulator, command_id: str) -> dict[str, Any]:
    """The command as a whole."""
    (command,) = emulator.client("ssm").list_commands(CommandId=command_id)["Commands"]
    found: dict[str, Any] = command
    return found


def refused(code: str, saying: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{saying}")
