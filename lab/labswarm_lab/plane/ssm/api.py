"""The operations of Systems Manager that the plane answers in moto's place."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ssm.exceptions import InvalidDocument, SSMException, ValidationException
from moto.ssm.models import SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse as Api

from labswarm_lab.plane.ssm.agents import Agent, Agents
from labswarm_lab.plane.ssm.commands import Command, Commands, Invocation
from labswarm_lab.plane.ssm.documents import InvalidParameters, Script, Unsupported, script

INSTANCES_AT_ONCE = 50
DELIVERY_TIMEOUT_S = 3600
SHORTEST_DELIVERY_S, LONGEST_DELIVERY_S = 30, 2_592_000
PAGE = 50
LISTED_OUTPUT_CHARACTERS = 2_500
"""https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandPlugin.html"""


def install(agents: Agents, commands: Commands) -> None:
    """Replace moto's operations on commands, which report success without running anything."""

    def send_command(api: Api) -> ActionResult:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html"""
        instance_ids: list[str] = api._get_param("InstanceIds", [])
        if len(instance_ids) > INSTANCES_AT_ONCE:
            raise _constraint("instanceIds", "have length less than or equal to 50")
        if not instance_ids:
            raise SSMException("InvalidTarget", "name InstanceIds: the plane has no other targets")
        timeout_s = api._get_int_param("TimeoutSeconds") or DELIVERY_TIMEOUT_S
        if not SHORTEST_DELIVERY_S <= timeout_s <= LONGEST_DELIVERY_S:
            raise _constraint("timeoutSeconds", "have value from 30 to 2592000")
        parameters = api._get_param("Parameters") or {}
        document = api._get_param("DocumentName")
        step = _script(api.ssm_backend, document, api._get_param("DocumentVersion"), parameters)
        absent = [i for i in instance_ids if agents.online(i) is None]
        if absent:
            raise SSMException(
                "InvalidInstanceId",
                f"Instances [[{', '.join(absent)}]] not in a valid state for account "
                f"{api.current_account}",
            )
        command = Command(
            document=document,
            script=step,
            parameters=parameters,
            comment=api._get_param("Comment", ""),
            delivery_timeout_s=timeout_s,
            invocations={i: Invocation(i) for i in instance_ids},
        )
        answer = _command(command)
        commands.send(command)
        return ActionResult({"Command": answer})

    def get_command_invocation(api: Api) -> ActionResult:
        command = _known(commands, api._get_param("CommandId"))
        invocation = command.invocations.get(api._get_param("InstanceId"))
        plugin = api._get_param("PluginName")
        if invocation is None or not commands.visible(command):
            raise SSMException("InvocationDoesNotExist", "")
        if plugin and plugin != command.script.step:
            raise SSMException("InvalidPluginName", f"{plugin} is no step of {command.document}")
        return ActionResult(_invocation(command, invocation))

    def list_commands(api: Api) -> ActionResult:
        wanted, on = api._get_param("CommandId"), api._get_param("InstanceId")
        found = [_known(commands, wanted)] if wanted else commands.all()
        chosen = [
            command
            for command in found
            if commands.visible(command) and (not on or on in command.invocations)
        ]
        page, token = _page(chosen, api)
        return ActionResult({"Commands": [_command(c) for c in page], "NextToken": token})

    def list_command_invocations(api: Api) -> ActionResult:
        wanted, on = api._get_param("CommandId"), api._get_param("InstanceId")
        found = [_known(commands, wanted)] if wanted else commands.all()
        chosen = [
            (command, invocation)
            for command in found
            if commands.visible(command)
            for invocation in command.invocations.values()
            if not on or on == invocation.instance_id
        ]
        page, token = _page(chosen, api)
        details = bool(api._get_param("Details", False))
        listed = [_listed(command, invocation, details) for command, invocation in page]
        return ActionResult({"CommandInvocations": listed, "NextToken": token})

    def cancel_command(api: Api) -> EmptyResult:
        command = _known(commands, api._get_param("CommandId"))
        commands.cancel(command, api._get_param("InstanceIds", []))
        return EmptyResult()

    def describe_instance_information(api: Api) -> ActionResult:
        found = agents.listed()
        filters = [(f["Key"], f["Values"]) for f in api._get_param("Filters", [])]
        filters += [
            (f["key"], f["valueSet"]) for f in api._get_param("InstanceInformationFilterList", [])
        ]
        for key, values in filters:
            if key == "InstanceIds":
                found = [agent for agent in found if agent.instance_id in values]
            elif key == "PingStatus":
                found = [agent for agent in found if agent.ping_status in values]
            else:
                raise SSMException("InvalidFilterKey", f"the plane does not filter by {key}")
        page, token = _page(found, api)
        listed = [_agent(agent) for agent in page]
        return ActionResult({"InstanceInformationList": listed, "NextToken": token})

    for operation in (
        send_command,
        get_command_invocation,
        list_commands,
        list_command_invocations,
        cancel_command,
        describe_instance_information,
    ):
        setattr(Api, operation.__name__, operation)


def _script(
    backend: SimpleSystemManagerBackend, name: str, version: str | None, parameters: Any
) -> Script:
    document = backend._documents.get(name.rpartition("/")[2])  # an ARN ends in /name
    if document is None:
        raise InvalidDocument(f"Document with name {name} does not exist.")
    chosen = document.find(version) if version else document.get_default_version()
    try:
        return script(chosen.content_json, parameters)
    except InvalidParameters as error:
        raise SSMException("InvalidParameters", str(error)) from error
    except Unsupported as error:
        raise InvalidDocument(f"{name}: {error}") from error


def _known(commands: Commands, command_id: str) -> Command:
    command = commands.get(command_id)
    if command is None:
        raise SSMException("InvalidCommandId", f"no command {command_id}")
    return command


def _constraint(field: str, constraint: str) -> ValidationException:
    return ValidationException(
        f"1 validation error detected: Value at '{field}' failed to satisfy constraint: "
        f"Member must {constraint}"
    )


def _page(rows: Sequence[Any], api: Api) -> tuple[Sequence[Any], str | None]:
    start = int(api._get_param("NextToken") or 0)
    end = start + (api._get_int_param("MaxResults") or PAGE)
    return rows[start:end], str(end) if end < len(rows) else None


def _command(command: Command) -> dict[str, Any]:
    over = [i for i in command.invocations.values() if i.ended_at is not None]
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
        "StatusDetails": command.status,
        "TimeoutSeconds": command.delivery_timeout_s,
        "TargetCount": len(command.invocations),
        "CompletedCount": len(over),
        "ErrorCount": sum(i.status != "Success" for i in over),
        "DeliveryTimedOutCount": sum(i.details == "DeliveryTimedOut" for i in over),
    }


def _invocation(command: Command, invocation: Invocation) -> dict[str, Any]:
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
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
    }


def _listed(command: Command, invocation: Invocation, details: bool) -> dict[str, Any]:
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


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "InstanceId": agent.instance_id,
        "PingStatus": agent.ping_status,
        "LastPingDateTime": agent.last_ping_at,
        "RegistrationDate": agent.registered_at,
        "AgentVersion": "3.3.2746.0",
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "ResourceType": "EC2Instance",
    }


def _iso(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else ""
