"""The agents on the instances, over AWS Systems Manager."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.commands.agent import Invocation
from labswarm.errors import LabswarmError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import (
        CommandFilterTypeDef,
        InstanceInformationStringFilterTypeDef,
    )

# The shortest that SendCommand takes; the execution's timeout is in each document.
DELIVERY_TIMEOUT_S = 30
# A page's most: SSM API reference, DescribeInstanceInformation, MaxResults.
MOST_AGENTS = 50
# ListCommands, MaxResults.
MOST_COMMANDS = 50

# The pauses between looks at a command that SSM does not know yet.
_UNKNOWN_S = (0.1, 0.15, 0.25, 0.4, 0.6, 0.9)


def until_known(client: "SSMClient") -> None:
    """Have boto3 look again, as it does after a throttle, at a command that SSM does not know yet.

    SSM is eventually consistent, and its event may come first. After 2.4 s that is the answer.
    """
    client.meta.events.register_first(
        "needs-retry.ssm.GetCommandInvocation",
        pause_s,  # type: ignore[arg-type]  # the stubs do not say that a handler may answer
    )


def pause_s(
    response: tuple[Any, Mapping[str, Any]] | None, attempts: int, **_: object
) -> float | None:
    """The seconds until boto3 looks again; None when it is not for this reason."""
    code = response[1].get("Error", {}).get("Code") if response else None
    known = code != "InvocationDoesNotExist" or attempts > len(_UNKNOWN_S)
    return None if known else _UNKNOWN_S[attempts - 1]


class SsmAgent:
    """Implements labswarm.commands.agent.Agent."""

    def __init__(self, client: "SSMClient") -> None:
        self._client = client

    def online(self, instances: Collection[str]) -> frozenset[str]:
        wanted = sorted(instances)
        online: set[str] = set()
        for first in range(0, len(wanted), MOST_AGENTS):
            some = wanted[first : first + MOST_AGENTS]
            online.update(self._online({"Key": "InstanceIds", "Values": some}))
        return frozenset(online)

    def all_online(self) -> frozenset[str]:
        return frozenset(self._online())

    def _online(self, *filters: "InstanceInformationStringFilterTypeDef") -> Iterator[str]:
        with named():
            for page in self._client.get_paginator("describe_instance_information").paginate(
                Filters=[{"Key": "PingStatus", "Values": ["Online"]}, *filters],
                PaginationConfig={"PageSize": MOST_AGENTS},
            ):
                for agent in page["InstanceInformationList"]:
                    yield agent["InstanceId"]

    def send(
        self, instance_id: str, document: str, parameters: Mapping[str, str], label: str
    ) -> str:
        with named():
            answer = self._client.send_command(
                InstanceIds=[instance_id],
                DocumentName=document,
                Parameters={name: [value] for name, value in parameters.items()},
                Comment=label,
                TimeoutSeconds=DELIVERY_TIMEOUT_S,
            )
        return answer["Command"]["CommandId"]

    def find(self, instance_id: str, document: str, label: str, since: float) -> str | None:
        # Without filters a hub's commands of a month are some hundred pages.
        filters: list[CommandFilterTypeDef] = [
            {
                "key": "InvokedAfter",
                "value": f"{datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}",
            },
            {"key": "DocumentName", "value": document},
        ]
        with named():
            for page in self._client.get_paginator("list_commands").paginate(
                InstanceId=instance_id,
                Filters=filters,
                PaginationConfig={"PageSize": MOST_COMMANDS},
            ):
                for command in page["Commands"]:
                    if command.get("Comment") == label:
                        return command["CommandId"]
        return None

    def invocation(self, command_id: str, instance_id: str) -> Invocation | None:
        try:
            with named():
                answer = self._client.get_command_invocation(
                    CommandId=command_id, InstanceId=instance_id
                )
        except LabswarmError as error:
            # Normal right after SendCommand: the invocation is not there yet.
            if code_of(error) == "InvocationDoesNotExist":
                return None
            raise
        return Invocation(
            status=answer["Status"],
            details=answer.get("StatusDetails", answer["Status"]),
            exit_code=answer.get("ResponseCode", -1),
            stdout=answer.get("StandardOutputContent", ""),
            stderr=answer.get("StandardErrorContent", ""),
            label=answer.get("Comment", ""),
        )
