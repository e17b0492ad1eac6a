"""The operations of Systems Manager that the emulator answers in moto's place."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ssm.exceptions import InvalidDocument, SSMException, ValidationException
from moto.ssm.models import SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse as Api

from labswarm_emulator.ssm import output
from labswarm_emulator.ssm.agents import Agents
from labswarm_emulator.ssm.command import Command, Invocation, Output
from labswarm_emulator.ssm.commands import Commands
from labswarm_emulator.ssm.documents import InvalidParameters, Script, Unsupported, script
from labswarm_emulator.ssm.shapes import (
    agent_shape,
    command_shape,
    invocation_shape,
    listed_shape,
)

INSTANCES_AT_ONCE = 50
DELIVERY_TIMEOUT_S = 3600
SHORTEST_DELIVERY_S, LONGEST_DELIVERY_S = 30, 2_592_000
COMMENT_CHARACTERS = 100
PAGE = 50
SHORTEST_PAGE_OF_AGENTS = 5
NOT_HERE = (
    "AlarmConfiguration",
    "CloudWatchOutputConfig",
    "DocumentHash",
    "MaxConcurrency",
    "MaxErrors",
    "NotificationConfig",
    "ServiceRoleArn",
    "Targets",
)
"""Options of SendCommand on AWS that are refused here, not ignored."""


def install(agents: Agents, commands: Commands) -> None:
    """Replace moto's operations on commands, which report success without running anything."""
    here = RunCommand(agents, commands)
    for operation in (
        here.send_command,
        here.get_command_invocation,
        here.list_commands,
        here.list_command_invocations,
        here.cancel_command,
        here.describe_instance_information,
    ):
        setattr(Api, operation.__name__, _answered_by(operation))


def _answered_by(operation: Callable[[Api], Any]) -> Callable[[Api], Any]:
    """Return the operation as a method of moto's class, which a bound method cannot be."""

    def answer(api: Api) -> Any:
        return operation(api)

    return answer


class RunCommand:
    """The operations on commands and agents."""

    def __init__(self, agents: Agents, commands: Commands) -> None:
        self._agents = agents
        self._commands = commands

    def send_command(self, api: Api) -> ActionResult:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html"""
        for name in NOT_HERE:
            if api._get_param(name):
                raise ValidationException(f"the emulator's SendCommand takes no {name}")
        instance_ids = _instance_ids(api._get_param("InstanceIds", []))
        timeout_s = api._get_int_param("TimeoutSeconds")
        timeout_s = DELIVERY_TIMEOUT_S if timeout_s is None else timeout_s
        if not SHORTEST_DELIVERY_S <= timeout_s <= LONGEST_DELIVERY_S:
            raise _constraint("timeoutSeconds", "have value from 30 to 2592000")
        comment = api._get_param("Comment", "")
        if len(comment) > COMMENT_CHARACTERS:
            raise _constraint("comment", "have length less than or equal to 100")
        parameters = api._get_param("Parameters") or {}
        document = api._get_param("DocumentName")
        step = _script(api.ssm_backend, document, api._get_param("DocumentVersion"), parameters)
        absent = [i for i in instance_ids if self._agents.online(i) is None]
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
            comment=comment,
            delivery_timeout_s=timeout_s,
            invocations={i: Invocation(i) for i in instance_ids},
            output=_output(api),
        )
        answer = command_shape(command)
        self._commands.send(command)
        return ActionResult({"Command": answer})

    def get_command_invocation(self, api: Api) -> ActionResult:
        command = _known(self._commands, api._get_param("CommandId"))
        invocation = command.invocations.get(api._get_param("InstanceId"))
        plugin = api._get_param("PluginName")
        if invocation is None or not self._commands.visible(command):
            raise SSMException("InvocationDoesNotExist", "")
        if plugin and plugin != command.script.step:
            raise SSMException("InvalidPluginName", f"{plugin} is no step of {command.document}")
        return ActionResult(invocation_shape(command, invocation))

    def list_commands(self, api: Api) -> ActionResult:
        after, document = _chosen_commands(api)
        wanted, on = api._get_param("CommandId"), api._get_param("InstanceId")
        found = [_known(self._commands, wanted)] if wanted else self._commands.all()
        chosen = [
            command
            for command in found
            if self._commands.visible(command)
            and (not on or on in command.invocations)
            and command.document == (document or command.document)
            and command.requested_at.timestamp() >= after
        ]
        page, token = _page(chosen, api)
        return ActionResult({"Commands": [command_shape(c) for c in page], "NextToken": token})

    def list_command_invocations(self, api: Api) -> ActionResult:
        _no_filters(api)
        wanted, on = api._get_param("CommandId"), api._get_param("InstanceId")
        found = [_known(self._commands, wanted)] if wanted else self._commands.all()
        chosen = [
            (command, invocation)
            for command in found
            if self._commands.visible(command)
            for invocation in command.invocations.values()
            if not on or on == invocation.instance_id
        ]
        page, token = _page(chosen, api)
        details = bool(api._get_param("Details", False))
        listed = [listed_shape(command, invocation, details) for command, invocation in page]
        return ActionResult({"CommandInvocations": listed, "NextToken": token})

    def cancel_command(self, api: Api) -> EmptyResult:
        command = _known(self._commands, api._get_param("CommandId"))
        self._commands.cancel(command, api._get_param("InstanceIds", []))
        return EmptyResult()

    def describe_instance_information(self, api: Api) -> ActionResult:
        found = self._agents.listed()
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
                raise SSMException("InvalidFilterKey", f"the emulator does not filter by {key}")
        page, token = _page(found, api, at_least=SHORTEST_PAGE_OF_AGENTS)
        listed = [agent_shape(agent, self._agents.version) for agent in page]
        return ActionResult({"InstanceInformationList": listed, "NextToken": token})


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


def _page(rows: Sequence[Any], api: Api, *, at_least: int = 1) -> tuple[Sequence[Any], str | None]:
    length = api._get_int_param("MaxResults")
    length = PAGE if length is None else length
    if not at_least <= length <= PAGE:
        raise _constraint("maxResults", f"have value from {at_least} to {PAGE}")
    token = api._get_param("NextToken") or "0"
    if not token.isdecimal():
        raise SSMException("InvalidNextToken", f"{token} is no token of this list")
    end = int(token) + length
    return rows[int(token) : end], str(end) if end < len(rows) else None


def _instance_ids(given: list[str]) -> list[str]:
    if len(given) > INSTANCES_AT_ONCE:
        raise _constraint("instanceIds", "have length less than or equal to 50")
    if not given:
        raise SSMException("InvalidTarget", "name InstanceIds: the emulator has no other targets")
    if len(set(given)) < len(given):
        raise SSMException("DuplicateInstanceId", "an instance is named twice")
    return given


def _output(api: Api) -> Output | None:
    bucket = api._get_param("OutputS3BucketName")
    if not bucket:
        return None
    found = Output(bucket, api._get_param("OutputS3KeyPrefix", ""))
    if not output.bucket_exists(found):
        raise SSMException("InvalidOutputFolder", f"The S3 bucket {bucket} does not exist.")
    return found


def _chosen_commands(api: Api) -> tuple[float, str]:
    """The time from which commands are listed (epoch seconds), and their document; empty: any.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandFilter.html
    """
    given = {one["key"]: one["value"] for one in api._get_param("Filters") or []}
    for key in given.keys() - {"InvokedAfter", "DocumentName"}:
        raise SSMException("InvalidFilterKey", f"{key} is no filter that this emulator has")
    after = 0.0
    if "InvokedAfter" in given:
        try:
            after = datetime.strptime(given["InvokedAfter"], "%Y-%m-%dT%H:%M:%S%z").timestamp()
        except ValueError as error:
            raise SSMException("ValidationException", "InvokedAfter is no timestamp") from error
    return after, given.get("DocumentName", "")


def _no_filters(api: Api) -> None:
    for filtered in api._get_param("Filters", []):
        raise SSMException("InvalidFilterKey", f"the emulator does not filter by {filtered['key']}")
