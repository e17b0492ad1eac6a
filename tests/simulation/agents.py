"""SSM in virtual time, as boto3's client shows it: agents that run the app's own documents.

https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulation.auto_scaling import refused
from tests.simulation.virtual_time import VirtualTime

AT_ONCE = 5
PAGE = 10
"""How many a page has when the caller does not say."""
_PREFIX = "SSM_"
_UNSEEN_S = 0.3


@dataclass
class Machine:
    """An instance's machine: `online` while its agent hears."""

    instance_id: str
    online: bool = False
    running: int = 0


@dataclass
class Sent:
    """A command for one instance."""

    command_id: str
    instance_id: str
    document: str
    parameters: Mapping[str, str]
    comment: str
    at: float
    status: str = "Pending"
    code: int = -1
    stdout: str = ""
    begun: bool = field(default=False)


Tool = Callable[[str, str, Mapping[str, str]], tuple[int, str]]
"""Runs a script on an instance with an environment -> exit code, standard output."""


class SsmTwin:
    """The client, and the service behind it.

    `documents` maps a name to the content as the template has it; `parameters` is the Parameter
    Store; `lasts` says how many seconds a document takes on a node; `notify` gets each change of a
    command's status as EventBridge does.
    """

    def __init__(
        self,
        time: VirtualTime,
        documents: Mapping[str, Mapping[str, Any]],
        tool: Tool,
        lasts: Callable[[str], float],
        notify: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._time = time
        self._documents = documents
        self._tool = tool
        self._lasts = lasts
        self._notify = notify
        self.machines: dict[str, Machine] = {}
        self.sent: dict[str, Sent] = {}
        self.parameters: dict[str, str] = {}
        self.paged: Callable[[], None] = lambda: None

    # The methods of boto3's client.

    def describe_instance_information(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        wanted = {one["Key"]: one["Values"] for one in Filters}
        listed = []
        for machine in self.machines.values():
            ping = "Online" if machine.online else "ConnectionLost"
            if machine.instance_id not in wanted.get("InstanceIds", [machine.instance_id]):
                continue
            if ping not in wanted.get("PingStatus", [ping]):
                continue
            listed.append({"InstanceId": machine.instance_id, "PingStatus": ping})
        return {"InstanceInformationList": listed}

    def send_command(
        self,
        InstanceIds: list[str],  # noqa: N803
        DocumentName: str,  # noqa: N803
        Parameters: Mapping[str, list[str]],  # noqa: N803
        Comment: str,  # noqa: N803
        TimeoutSeconds: int,  # noqa: N803
    ) -> dict[str, Any]:
        (instance_id,) = InstanceIds
        machine = self.machines.get(instance_id)
        if machine is None or not machine.online:
            raise refused("SendCommand", "InvalidInstanceId", "Instances not in a valid state")
        if DocumentName not in self._documents:
            raise refused("SendCommand", "InvalidDocument", f"{DocumentName} does not exist")
        values = {name: value for name, (value,) in Parameters.items()}
        declared = self._documents[DocumentName].get("parameters", {})
        for name, value in values.items():
            pattern = declared.get(name, {}).get("allowedPattern")
            if name not in declared or (pattern and not re.search(pattern, value)):
                raise refused("SendCommand", "InvalidParameters", f"{name} is not allowed")
        if len(Comment) > 100:
            raise refused("SendCommand", "ValidationException", "comment is too long")
        command_id = f"command-{len(self.sent) + 1:06d}"
        sent = Sent(command_id, instance_id, DocumentName, values, Comment, at=self._time.now())
        self.sent[command_id] = sent
        self._time.spawn(lambda: self._carry_out(sent, machine, TimeoutSeconds), command_id)
        return {"Command": {"CommandId": command_id}}

    def get_command_invocation(self, CommandId: str, InstanceId: str) -> dict[str, Any]:  # noqa: N803
        sent = self.sent.get(CommandId)
        if sent is None or sent.instance_id != InstanceId or self._time.now() < sent.at + _UNSEEN_S:
            raise refused("GetCommandInvocation", "InvocationDoesNotExist", "")
        return {
            "Status": sent.status,
            "StatusDetails": {"TimedOut": "DeliveryTimedOut"}.get(sent.status, sent.status)
            if not sent.begun
            else sent.status,
            "ResponseCode": sent.code,
            "StandardOutputContent": sent.stdout[:24_000],
            "StandardErrorContent": "",
            "Comment": sent.comment,
        }

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        if Name not in self.parameters:
            raise refused("GetParameter", "ParameterNotFound", "")
        return {"Parameter": {"Name": Name, "Value": self.parameters[Name]}}

    def get_parameters(self, Names: Sequence[str]) -> dict[str, Any]:  # noqa: N803
        found = [name for name in Names if name in self.parameters]
        return {"Parameters": [{"Name": one, "Value": self.parameters[one]} for one in found]}

    def get_paginator(self, operation: str) -> "_Pages":
        return _Pages(getattr(self, operation), self.paged)

    def list_commands(self, InstanceId: str, Filters: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        wanted = {one["key"]: one["value"] for one in Filters}
        since = datetime.fromisoformat(wanted["InvokedAfter"]).timestamp()
        found = [
            s
            for s in reversed(self.sent.values())
            if (s.instance_id, s.document) == (InstanceId, wanted["DocumentName"]) and s.at >= since
        ]
        return {"Commands": [{"CommandId": s.command_id, "Comment": s.comment} for s in found]}

    def get_parameters_by_path(self, Path: str, Recursive: bool) -> dict[str, Any]:  # noqa: N803
        assert Recursive
        return {
            "Parameters": [
                {"Name": name, "Value": value}
                for name, value in self.parameters.items()
                if name.startswith(f"{Path}/")
            ]
        }

    # Events that happen by themselves.

    def _carry_out(self, sent: Sent, machine: Machine, delivery_s: float) -> None:
        limit = sent.at + delivery_s
        while machine.running >= AT_ONCE or not machine.online:
            if self._time.now() >= limit:
                self._change(sent, "TimedOut")
                return
            self._time.sleep(0.5)
        machine.running += 1
        sent.begun = True
        self._change(sent, "InProgress")
        step = self._documents[sent.document]["mainSteps"][0]["inputs"]
        self._time.sleep(self._lasts(sent.document))
        if self.machines.get(sent.instance_id) is not machine or not machine.online:
            # The agent went away with it: nothing is reported until its time is over.
            self._time.sleep(float(step["timeoutSeconds"]))
            self._change(sent, "TimedOut")
            machine.running -= 1
            return
        environment = {_PREFIX + name: value for name, value in self._values(sent).items()}
        sent.code, sent.stdout = self._tool(
            sent.instance_id, "\n".join(step["runCommand"]), environment
        )
        machine.running -= 1
        self._change(sent, "Failed" if sent.code else "Success")

    def _change(self, sent: Sent, status: str) -> None:
        """https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ssm.html"""
        sent.status = status
        self._notify(
            {
                "source": "aws.ssm",
                "detail-type": "EC2 Command Invocation Status-change Notification",
                "detail": {
                    "command-id": sent.command_id,
                    "document-name": sent.document,
                    "instance-id": sent.instance_id,
                    "status": status,
                },
            }
        )

    def _values(self, sent: Sent) -> dict[str, str]:
        declared = self._documents[sent.document].get("parameters", {})
        defaults = {n: str(d["default"]) for n, d in declared.items() if "default" in d}
        return {**defaults, **sent.parameters}


class _Pages:
    """One operation's pages: each is a call, and calls `counted`."""

    def __init__(self, call: Callable[..., dict[str, Any]], counted: Callable[[], None]) -> None:
        self._call = call
        self._counted = counted

    def paginate(
        self,
        PaginationConfig: Mapping[str, int] | None = None,  # noqa: N803
        **arguments: Any,
    ) -> Iterator[dict[str, Any]]:
        ((name, items),) = self._call(**arguments).items()
        size = (PaginationConfig or {}).get("PageSize", PAGE)
        for first in range(0, max(1, len(items)), size):
            self._counted()
            yield {name: items[first : first + size]}
