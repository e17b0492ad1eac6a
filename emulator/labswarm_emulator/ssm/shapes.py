"""Commands, invocations and agents as Systems Manager's API returns them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Types.html
"""

from datetime import datetime
from typing import Any

from labswarm_emulator.ssm import output
from labswarm_emulator.ssm.agents import Agent
from labswarm_emulator.ssm.command import OPEN, Command, Invocation

LISTED_OUTPUT_CHARACTERS = 2_500
"""https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandPlugin.html"""


def command_shape(command: Command) -> dict[str, Any]:
    """A command, as SendCommand and ListCommands answer."""
    details = [invocation.details for invocation in command.invocations.values()]
    return {
        "CommandId": command.command_id,
        "DocumentName": command.document,
        "Comment": command.comment,
        "ExpiresAfter": command.expires_at,
        "Parameters": command.parameters,
        "InstanceIds": list(command.invocations),
        "Targets": [],
        "RequestedDateTime": command.requested_at,
        "Status": command.status,
        "StatusDetails": command.details,
        "TimeoutSeconds": command.delivery_timeout_s,
        "TargetCount": len(details),
        "CompletedCount": sum(one not in OPEN for one in details),
        "ErrorCount": sum(one in ("Failed", "ExecutionTimedOut") for one in details),
        "DeliveryTimedOutCount": details.count("DeliveryTimedOut"),
        "OutputS3BucketName": command.output.bucket if command.output else "",
        "OutputS3KeyPrefix": command.output.prefix if command.output else "",
    }


def invocation_shape(command: Command, invocation: Invocation) -> dict[str, Any]:
    """One invocation, as GetCommandInvocation answers."""
    return {
        "CommandId": command.command_id,
        "InstanceId": invocation.instance_id,
        "Comment": command.comment,
        "DocumentName": command.document,
        "PluginName": command.script.step,
        "ResponseCode": invocation.response_code,
        "ExecutionStartDateTime": _iso(invocation.started_at),
        "ExecutionEndDateTime": _iso(invocation.ended_at),
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "StandardOutputContent": invocation.stdout,
        "StandardErrorContent": invocation.stderr,
        "StandardOutputUrl": output.url(command, invocation, "stdout"),
        "StandardErrorUrl": output.url(command, invocation, "stderr"),
    }


def listed_shape(command: Command, invocation: Invocation, details: bool) -> dict[str, Any]:
    """One invocation, as ListCommandInvocations answers; its plugin with `details`."""
    plugin = {
        "Name": command.script.step,
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "ResponseCode": invocation.response_code,
        "Output": (invocation.stdout + invocation.stderr)[:LISTED_OUTPUT_CHARACTERS],
    }
    return {
        "CommandId": command.command_id,
        "InstanceId": invocation.instance_id,
        "Comment": command.comment,
        "DocumentName": command.document,
        "RequestedDateTime": command.requested_at,
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "CommandPlugins": [plugin] if details else [],
    }


def agent_shape(agent: Agent, version: str) -> dict[str, Any]:
    """An agent, as DescribeInstanceInformation answers."""
    return {
        "InstanceId": agent.instance_id,
        "PingStatus": agent.ping_status,
        "LastPingDateTime": agent.last_ping_at,
        "RegistrationDate": agent.registered_at,
        "AgentVersion": version,
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "ResourceType": "EC2Instance",
    }


def _iso(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else ""
