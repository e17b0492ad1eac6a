"""Commands on their way: sent, waiting for an agent's room, running, over.

The states are those of
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from labswarm_lab.plane.machines import Completed
from labswarm_lab.plane.plane import Plane
from labswarm_lab.plane.ssm.agents import Agent, Agents
from labswarm_lab.plane.ssm.documents import Script

UNSEEN_S = 0.5
"""How long GetCommandInvocation does not know a command that was just sent."""
STDOUT_CHARACTERS = 24_000
STDERR_CHARACTERS = 8_000
"""What GetCommandInvocation returns of the two,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html"""
NOT_FOUND = 127
"""What a shell says of a command that is not there."""
KILLED = 137
"""The agent's response code for a script that it stopped."""

OPEN = ("Pending", "InProgress")


@dataclass
class Invocation:
    """One command on one instance."""

    instance_id: str
    status: str = "Pending"
    details: str = "Pending"
    response_code: int = -1
    stdout: str = ""
    stderr: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class Command:
    """One SendCommand: a script for some instances."""

    document: str
    script: Script
    parameters: Mapping[str, Sequence[str]]
    comment: str
    delivery_timeout_s: int
    invocations: dict[str, Invocation]
    command_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    requested_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def expires_at(self) -> datetime:
        return self.requested_at + timedelta(
            seconds=self.delivery_timeout_s + self.script.timeout_s
        )

    @property
    def status(self) -> str:
        """Of all its invocations together: the worst of them once all are over."""
        seen = {invocation.status for invocation in self.invocations.values()}
        ranked = ("InProgress", "Pending", "Failed", "TimedOut", "Cancelled", "Success")
        return next(status for status in ranked if status in seen)


class Commands:
    """All commands of a plane; each invocation has a thread while it is open."""

    def __init__(self, plane: Plane, agents: Agents) -> None:
        self._plane = plane
        self._agents = agents
        self._lock = threading.Lock()
        self._sent: dict[str, Command] = {}

    def send(self, command: Command) -> None:
        """Hand a command to its instances' agents, which have to be online."""
        with self._lock:
            self._sent[command.command_id] = command
        for invocation in command.invocations.values():
            agent = self._agents.online(invocation.instance_id)
            if agent is None:
                continue  # ended since SendCommand looked: never delivered
            threading.Thread(
                target=self._carry_out, args=(command, invocation, agent), daemon=True
            ).start()
            self._write("sent", command, invocation)
        self._plane.clock.after(command.delivery_timeout_s, lambda: self._undelivered(command))

    def all(self) -> list[Command]:
        """Every command, the newest first."""
        with self._lock:
            return list(reversed(self._sent.values()))

    def get(self, command_id: str) -> Command | None:
        with self._lock:
            return self._sent.get(command_id)

    def visible(self, command: Command) -> bool:
        """Whether GetCommandInvocation knows the command yet (it is eventually consistent)."""
        age = (datetime.now(UTC) - command.requested_at).total_seconds()
        return age >= self._plane.clock.real(UNSEEN_S)

    def cancel(self, command: Command, instance_ids: Sequence[str]) -> None:
        """Stop what has not begun; AWS does not promise more for the rest."""
        for invocation in command.invocations.values():
            if instance_ids and invocation.instance_id not in instance_ids:
                continue
            self._end(command, invocation, "Cancelled", "Cancelled", only_from="Pending")

    def _carry_out(self, command: Command, invocation: Invocation, agent: Agent) -> None:
        with agent.room:
            with self._lock:
                # Cancelled or timed out while it waited, or nobody is left to run it.
                if invocation.status != "Pending" or agent.ping_status != "Online":
                    return
                invocation.status = invocation.details = "InProgress"
                invocation.started_at = datetime.now(UTC)
            self._write("InProgress", command, invocation)
            script = command.script
            try:
                completed = self._run(invocation.instance_id, script)
            except Exception as failure:  # noqa: BLE001  # any way a machine can fail under it
                self._write("lost", command, invocation, failure=repr(failure))
                self._silent(command, invocation)
                return
            if self._agents.is_silent(invocation.instance_id):
                self._silent(command, invocation)
            else:
                self._answered(command, invocation, completed)

    def _run(self, instance_id: str, script: Script) -> Completed:
        if instance_id in self._plane.without_tools:
            return Completed(NOT_FOUND, "", f"bash: {script.text.strip()}: command not found\n")
        return self._plane.machines.run(
            instance_id,
            script.text,
            script.environment,
            self._plane.clock.real(script.timeout_s),
        )

    def _answered(self, command: Command, invocation: Invocation, completed: Completed) -> None:
        invocation.stdout = completed.stdout[:STDOUT_CHARACTERS]
        invocation.stderr = completed.stderr[:STDERR_CHARACTERS]
        if completed.timed_out:
            self._end(command, invocation, "TimedOut", "ExecutionTimedOut", code=KILLED)
        elif completed.exit_code == 0:
            self._end(command, invocation, "Success", "Success", code=0)
        else:
            self._end(command, invocation, "Failed", "Failed", code=completed.exit_code)

    def _silent(self, command: Command, invocation: Invocation) -> None:
        """No agent will say how it ended: it stays in progress until its time is over."""
        self._plane.clock.after(
            command.script.timeout_s,
            lambda: self._end(command, invocation, "TimedOut", "ExecutionTimedOut"),
        )

    def _undelivered(self, command: Command) -> None:
        for invocation in command.invocations.values():
            self._end(command, invocation, "TimedOut", "DeliveryTimedOut", only_from="Pending")

    def _end(
        self,
        command: Command,
        invocation: Invocation,
        status: str,
        details: str,
        *,
        code: int = -1,
        only_from: str = "InProgress",
    ) -> None:
        with self._lock:
            if invocation.status != only_from:
                return
            invocation.response_code, invocation.details = code, details
            invocation.ended_at = datetime.now(UTC)
            invocation.status = status
        self._write(details, command, invocation, code=code)

    def _write(self, what: str, command: Command, invocation: Invocation, **fields: object) -> None:
        self._plane.record.write(
            "ssm",
            what,
            instance=invocation.instance_id,
            document=command.document,
            command=command.command_id,
            **_about(command),
            **fields,
        )


def _about(command: Command) -> dict[str, str]:
    """The instance that a command on the hub is about, where its document names one."""
    named = command.parameters.get("Instance")
    return {"about": named[0]} if named else {}
