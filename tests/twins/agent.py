"""The agents of all instances in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from labswarm.commands.agent import Invocation


@dataclass
class Sent:
    command_id: str
    instance_id: str
    document: str
    parameters: dict[str, str]
    label: str


@dataclass
class TwinAgent:
    """Implements labswarm.commands.agent.Agent. A command is in progress until `ends` ends it."""

    sent: list[Sent] = field(default_factory=list)
    ended: dict[str, Invocation] = field(default_factory=dict)

    def online(self, instance_id: str) -> bool:
        return True

    def all_online(self) -> frozenset[str]:
        return frozenset(sent.instance_id for sent in self.sent)

    def send(
        self, instance_id: str, document: str, parameters: Mapping[str, str], label: str
    ) -> str:
        assert len(label) <= 100
        command_id = f"command-{len(self.sent) + 1}"
        self.sent.append(Sent(command_id, instance_id, document, dict(parameters), label))
        return command_id

    def find(self, instance_id: str, label: str) -> str | None:
        for sent in self.sent:
            if (sent.instance_id, sent.label) == (instance_id, label):
                return sent.command_id
        return None

    def invocation(self, command_id: str, instance_id: str) -> Invocation | None:
        known = [s for s in self.sent if (s.command_id, s.instance_id) == (command_id, instance_id)]
        if not known:
            return None
        return self.ended.get(command_id, Invocation("InProgress", "InProgress", -1, "", ""))

    def ends(self, command_id: str, answer: object, exit_code: int = 0) -> None:
        status = "Success" if exit_code == 0 else "Failed"
        self.ended[command_id] = Invocation(status, status, exit_code, json.dumps(answer), "")
