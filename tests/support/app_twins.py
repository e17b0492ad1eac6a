"""Twins of what the app's domain talks to: in memory, and holding callers to what they pass."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labswarm.cluster import Cluster
from labswarm.commands.steps import Invocation
from labswarm.errors import BadInput, LabswarmError
from labswarm.groups import Member, Size
from labswarm.lifecycle.hooks import Result

EVENTS = Path(__file__).resolve().parents[2] / "events"
INSTANCE = "i-0123456789abcdef0"
MANAGER = "i-0fedcba9876543210"
OWNER = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-node-launch:one"
OTHER = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-node-launch:two"

# What someone might write where an id or a name is expected.
HOSTILE = [
    "",
    "$(reboot)",
    "`reboot`",
    "; reboot",
    "| reboot",
    "&& reboot",
    "-rf",
    "*",
    "../../etc/passwd",
    "..%2f..%2fetc",
    "lab/../../x",
    '"}],"x":[{"',
    "'; DROP TABLE ledger; --",
    "{{ssm:/labswarm/clusters/lab}}",
    "${jndi:ldap://x.example/a}",
    "<script>alert(1)</script>",
    "%s%n%x",
    "a\nb",
    "a\x00b",
    "\u202ei-0123456789abcdef0",
    "i-0123456789abcdef0\n",
    "i-0123456789abcdef0 i-0123456789abcdef1",
    "i-0123456789ABCDEF0",
    "ｉ-０１２３４５６７８",
    "x" * 5000,
]

DESCRIPTION: dict[str, Any] = {
    "name": "lab",
    "asg": "labswarm-lab-workers",
    "manager": MANAGER,
    "chef": {
        "url": "https://10.98.0.1:4545",
        "organization": None,
        "ca_pem": None,
        "admin": "labswarm",
        "key_id": "alias/labswarm-chef-admin",
    },
    "seat": {"memory_bytes": 536870912, "nano_cpus": 250000000},
    "overhead": {"memory_bytes": 536870912, "nano_cpus": 0},
    "headroom": 2,
    "images": ["10.98.0.1:5000/labswarm/notebook@sha256:" + "0" * 64],
    "empty_deadline_s": 20,
    "timetable": None,
}


def event(name: str) -> dict[str, Any]:
    """A sample of events/."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


class TwinClock:
    """Time that passes only by sleeping."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self._now += seconds


class TwinClusters:
    def read(self, name: str) -> Cluster:
        if name != "lab":
            raise BadInput("cluster", f"{name!r} is not described")
        return Cluster.parse(json.dumps(DESCRIPTION))


class TwinHooks:
    """The hooks `launch` and `terminate` of the group, and who waits in them, by token.

    `refused` are tokens whose heartbeats meet an error; `beats` counts those of each.
    """

    def __init__(self, *tokens: str, timeout_s: int = 600) -> None:
        self.waiting = set(tokens)
        self.results: dict[str, Result] = {}
        self.timeout = timeout_s
        self.beats: Counter[str] = Counter()
        self.refused: dict[str, LabswarmError] = {}

    def timeout_s(self, asg: str, hook: str) -> int:
        if (asg, hook) not in {("labswarm-lab-workers", h) for h in ("launch", "terminate")}:
            raise BadInput("detail.LifecycleHookName", f"{asg} has no hook {hook!r}")
        return self.timeout

    def heartbeat(self, asg: str, hook: str, token: str) -> bool:
        self.timeout_s(asg, hook)
        if token in self.refused:
            raise self.refused[token]
        if token not in self.waiting:
            return False
        self.beats[token] += 1
        return True

    def complete(self, asg: str, hook: str, token: str, result: Result) -> None:
        self.timeout_s(asg, hook)
        if token in self.waiting:
            self.waiting.remove(token)
            self.results[token] = result


@dataclass
class TwinGroups:
    """One group, its members and its size; `asked` is what was asked of it, in order."""

    members: dict[str, Member] = field(default_factory=dict)
    held: Size = field(default_factory=lambda: Size(desired=2, most=4))
    asked: list[str] = field(default_factory=list)

    def member(self, instance_id: str) -> Member | None:
        return self.members.get(instance_id)

    def size(self, asg: str) -> Size:
        assert asg == DESCRIPTION["asg"]
        return self.held

    def resize(self, asg: str, desired: int) -> None:
        assert desired <= self.size(asg).most
        self.held = Size(desired, self.held.most)
        self.asked.append(f"resize {desired}")

    def terminate(self, instance_id: str) -> None:
        self.members[instance_id] = Member(self.members[instance_id].asg, "Terminating:Wait")
        self.asked.append(f"terminate {instance_id}")


@dataclass
class Sent:
    command_id: str
    instance_id: str
    document: str
    parameters: dict[str, str]
    label: str


@dataclass
class TwinAgent:
    """Commands stay in progress until `ends` is told how they ended."""

    sent: list[Sent] = field(default_factory=list)
    ended: dict[str, Invocation] = field(default_factory=dict)

    def online(self, instance_id: str) -> bool:
        return True

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
