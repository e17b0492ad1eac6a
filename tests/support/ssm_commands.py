"""What the contract tests of Run Command share."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running_emulator import RunningPlane, eventually

OPEN = ("Pending", "InProgress", "Delayed", "Cancelling")
ABSENT = "i-0123456789abcdef0"


def start_instance(plane: RunningPlane, **tags: str) -> str:
    """An instance of the lab's, not waited for."""
    tagged = [
        {"Key": key, "Value": value} for key, value in {"labswarm:role": "worker", **tags}.items()
    ]
    ran = plane.client("ec2").run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.medium",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tagged}],
    )
    instance_id: str = ran["Instances"][0]["InstanceId"]
    return instance_id


def start_online(plane: RunningPlane) -> str:
    """An instance whose agent is online."""
    instance_id = start_instance(plane)
    eventually(lambda: ping(plane, instance_id) == "Online")
    return instance_id


def terminate(plane: RunningPlane, *instance_ids: str) -> None:
    plane.client("ec2").terminate_instances(InstanceIds=list(instance_ids))


def ping(plane: RunningPlane, instance_id: str) -> str | None:
    listed = plane.client("ssm").describe_instance_information(
        Filters=[{"Key": "InstanceIds", "Values": [instance_id]}]
    )["InstanceInformationList"]
    return listed[0]["PingStatus"] if listed else None


def make_document(
    plane: RunningPlane,
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
    plane.client("ssm").create_document(
        Name=name, DocumentType="Command", Content=json.dumps(content)
    )
    return name


def send(plane: RunningPlane, document: str, *instances: str, **more: Any) -> str:
    command: dict[str, Any] = plane.client("ssm").send_command(
        DocumentName=document, InstanceIds=list(instances), **more
    )["Command"]
    assert command["Status"] == "Pending"
    return str(command["CommandId"])


def look(plane: RunningPlane, command_id: str, instance_id: str) -> dict[str, Any] | None:
    """The invocation, or None while it is not known."""
    try:
        found: dict[str, Any] = plane.client("ssm").get_command_invocation(
            CommandId=command_id, InstanceId=instance_id
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvocationDoesNotExist":
            raise
        return None
    return found


def state(plane: RunningPlane, command_id: str, instance_id: str) -> tuple[str, str] | None:
    """Status and StatusDetails of the invocation, or None while it is not known."""
    found = look(plane, command_id, instance_id)
    return (found["Status"], found["StatusDetails"]) if found else None


def over(plane: RunningPlane, command_id: str, instance_id: str) -> dict[str, Any]:
    """The invocation once it has ended."""

    def ended() -> dict[str, Any] | None:
        found = look(plane, command_id, instance_id)
        return found if found and found["Status"] not in OPEN else None

    found = eventually(ended)
    assert found is not None
    return found


def of_command(plane: RunningPlane, command_id: str) -> dict[str, Any]:
    """The command as a whole."""
    (command,) = plane.client("ssm").list_commands(CommandId=command_id)["Commands"]
    found: dict[str, Any] = command
    return found


def refused(code: str, saying: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{saying}")
