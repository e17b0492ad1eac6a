"""Commands from SendCommand to their end."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.machines import Completed
from labswarm_emulator.ssm import notices, output
from labswarm_emulator.ssm.agents import Agent, Agents
from labswarm_emulator.ssm.command import OPEN, WAITING, Command, Invocation

UNSEEN_S = 0.5
"""How long GetCommandInvocation does not know a command that was just sent."""
STDOUT_CHARACTERS = 24_000
STDERR_CHARACTERS = 8_000
"""The part that GetCommandInvocation returns of the two,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html"""
NOT_FOUND = 127
"""A shell's exit code for a missing command."""
KILLED = 137
"""The agent's response code for a script that it stopped."""


class Commands:
    """All commands; each open invocation has a thread."""

    def __init__(self, emulator: Emulator, agents: Agents) -> None:
        self._emulator = emulator
        self._agents = agents
        self._lock = threading.Lock()
        self._sent: dict[str, Command] = {}
        self._expiries: dict[str, threading.Timer] = {}

    def send(self, command: Command) -> None:
        """Hand a command to its instances' agents, which have to be online."""
        with self._lock:
            self._sent[command.command_id] = command
        for invocation in command.invocations.values():
            self._write("sent", command, invocation)
        expiry = self._emulator.clock.after(command.total_timeout_s, lambda: self._expire(command))
        with self._lock:
            self._expiries[command.command_id] = expiry
        for invocation in command.invocations.values():
            agent = self._agents.online(invocation.instance_id)
            if agent is None:  # ended since SendCommand looked
                self._change(command, invocation, "Undeliverable", only_from=WAITING)
                continue
            threading.Thread(
                target=self._carry_out, args=(command, invocation, agent), daemon=True
            ).start()

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
        return age >= self._emulator.clock.real(UNSEEN_S)

    def cancel(self, command: Command, instance_ids: Sequence[str]) -> None:
        """Waiting invocations are cancelled; running ones are Cancelling until they end by
        themselves.
        """
        for invocation in command.invocations.values():
            if instance_ids and invocation.instance_id not in instance_ids:
                continue
            if not self._change(command, invocation, "Cancelled", only_from=WAITING):
                self._change(command, invocation, "Cancelling", only_from=("InProgress",))

    def _carry_out(self, command: Command, invocation: Invocation, agent: Agent) -> None:
        limit = time.monotonic() + self._emulator.clock.real(command.delivery_timeout_s)
        self._emulator.clock.sleep(self._emulator.draw(self._emulator.latency.command))
        while self._delivered(command, invocation, agent, limit):
            if not agent.room.acquire(timeout=max(0.0, limit - time.monotonic())):
                return  # it waited too long, and will not be run any more
            try:
                # It may have fallen silent meanwhile.
                if agent.heard and time.monotonic() < limit:
                    self._execute(command, invocation, agent)
                    return
            finally:
                agent.room.release()

    def _delivered(
        self, command: Command, invocation: Invocation, agent: Agent, limit: float
    ) -> bool:
        """Wait for the agent to be heard of; whether it was, in time to run the command."""
        if not agent.heard:
            self._change(command, invocation, "Delayed", only_from=("Pending",))
        heard = self._agents.await_heard(agent, max(0.0, limit - time.monotonic()))
        if agent.ended:
            self._change(command, invocation, "Undeliverable", only_from=WAITING)
        return heard and time.monotonic() < limit and invocation.details in WAITING

    def _execute(self, command: Command, invocation: Invocation, agent: Agent) -> None:
        if not self._change(command, invocation, "InProgress", only_from=WAITING):
            return
        try:
            completed = self._run(invocation.instance_id, command)
        except Exception as failure:  # noqa: BLE001  # any way a machine can fail under it
            self._write("lost", command, invocation, failure=repr(failure))
            return  # no agent will say how it ended: it is in progress until it expires
        if self._agents.await_heard(agent, self._emulator.clock.real(command.total_timeout_s)):
            output.write(self._emulator, command, invocation, completed)
            self._answered(command, invocation, completed)

    def _run(self, instance_id: str, command: Command) -> Completed:
        script = command.script
        if instance_id in self._emulator.without_tools:
            return Completed(NOT_FOUND, "", f"sh: 1: {script.text.strip()}: not found\n")
        return self._emulator.machines.run(
            instance_id,
            script.text,
            script.environment,
            self._emulator.clock.real(script.timeout_s),
        )

    def _answered(self, command: Command, invocation: Invocation, completed: Completed) -> None:
        invocation.stdout = completed.stdout[:STDOUT_CHARACTERS]
        invocation.stderr = completed.stderr[:STDERR_CHARACTERS]
        code = KILLED if completed.timed_out else completed.exit_code
        if completed.timed_out:
            details = "ExecutionTimedOut"
        else:
            details = "Success" if completed.exit_code == 0 else "Failed"
        if not self._change(command, invocation, details, only_from=("InProgress",), code=code):
            self._change(command, invocation, "Cancelled", only_from=("Cancelling",))

    def _expire(self, command: Command) -> None:
        """No agent has said how it ended: the command counts as not delivered.

        https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html#monitor-about-status-timeouts
        """
        for invocation in command.invocations.values():
            self._change(command, invocation, "DeliveryTimedOut", only_from=OPEN)

    def _change(
        self,
        command: Command,
        invocation: Invocation,
        details: str,
        *,
        only_from: Sequence[str],
        code: int = -1,
    ) -> bool:
        """Change an invocation's state and report it; False if its state is not in `only_from`."""
        with self._lock:
            if invocation.details not in only_from:
                return False
            before = command.details
            if details == "InProgress":
                invocation.started_at = datetime.now(UTC)
            elif details not in OPEN:
                invocation.response_code, invocation.ended_at = code, datetime.now(UTC)
            invocation.details = details
            after = command.details
            if after not in OPEN:
                self._expiries.pop(command.command_id).cancel()
        ending = {} if details in OPEN else {"code": code}
        self._write(details, command, invocation, **ending)
        notices.invocation_changed(command, invocation, details)
        if after != before:
            notices.command_changed(command, after)
        return True

    def _write(self, what: str, command: Command, invocation: Invocation, **fields: object) -> None:
        # The instance that a command on the hub is about, where its document names one.
        named = command.parameters.get("Instance")
        about = {"about": named[0]} if named else {}
        self._emulator.record.write(
            "ssm",
            what,
            instance=invocation.instance_id,
            document=command.document,
            command=command.command_id,
            **about,
            **fields,
        )
