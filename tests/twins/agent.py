"""The agents of all instances in memory."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from labswarm.commands.agent import Invocation
from labswarm.errors import Permanent


@dataclass
class Sent:
    command_id: str
    instance_id: str
    document: str
    parameters: dict[str, str]
    label: str
    at: float = math.inf


@dataclass
class TwinAgent:
    """Implements labswarm.commands.agent.Agent. A command is in progress until `ends` ends it.

    Every agent is online but those in `offline`. `looks` has the instances of each `online`.
    """

    sent: list[Sent] = field(default_factory=list)
    ended: dict[str, Invocation] = field(default_factory=dict)
    offline: set[str] = field(default_factory=set)
    looks: list[frozenset[str]] = field(default_factory=list)

    def online(self, instances: Collection[str]) -> frozenset[str]:
        self.looks.append(frozenset(instances))
        return frozenset(instances) - self.offline

    def all_online(self) -> frozenset[str]:
        return frozenset(sent.instance_id for sent in self.sent) - self.offline

    def send(
        self, instance_id: str, document: str, parameters: Mapping[str, str], label: str
    ) -> str:
        if len(label) > 100:
            # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
            raise Permanent(f"the label has {len(label)} characters; SSM takes 100")
        command_id = f"command-{len(self.sent) + 1}"
        self.sent.append(Sent(command_id, instance_id, document, dict(parameters), label))
        return command_id

    def find(self, instance_id: str, document: str, label: str, since: float) -> str | None:
        for sent in self.sent:
            key = (sent.instance_id, sent.document, sent.label)
            if key == (instance_id, document, label) and sent.at >= since:
                return sent.command_id
        return None

    def invocation(self, command_id: str, instance_id: str) -> Invocation | None:
        known = [s for s in self.sent if (s.command_id, s.instance_id) == (command_id, instance_id)]
        if not known:
            return None
        now = self.ended.get(command_id, Invocation("InProgress", "InProgress", -1, "", ""))
        return replace(now, label=known[0].label)

    def ends(self, command_id: str, answer: object, exit_code: int = 0) -> None:
        status = "Success" if exit_code == 0 else "Failed"
        self.ended[command_id] = Invocation(status, status, exit_code, json.dumps(answer), "")
