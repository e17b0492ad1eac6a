"""Inject each fault and undo it, with the lab's commands, as an operator would."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.schedule import Fault
from tests.e2e.conftest import LabUnderTest

THROTTLED = (
    "ssm:SendCommand",
    "ssm:GetCommandInvocation",
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:DescribeAutoScalingInstances",
    "dynamodb:*",
)
HEALED_WITHIN_S = 60
"""Seconds until the Swarm and the hub have checked a node whose link is up again."""
HUB_BACK_WITHIN_S = 60
"""Until a killed hub has restarted and looked at its servers."""


@dataclass
class Injected:
    """A fault injected `at` a time (epoch seconds) and undone at `until`; None while it lasts.

    `instance` is the node that it hit, or None.
    """

    fault: Fault
    at: float
    instance: str | None = None
    until: float | None = None

    def explains(self, instance: str | None, at: float) -> bool:
        """Whether a server of this instance may have ended at this time because of it."""
        if not self.fault.kind.cuts_off or instance is None or instance != self.instance:
            return False
        over = self.fault.kind.name == "cut" and self.until is not None
        return self.at - 1 <= at and not (over and at > float(self.until or 0) + HEALED_WITHIN_S)


@dataclass
class Injector:
    """Injects faults into a lab, and keeps a list of them."""

    lab: LabUnderTest
    log: Callable[[str], None]
    injected: list[Injected] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def inject(self, fault: Fault, nodes: Sequence[str]) -> None:
        """Carry a fault out; one at a node takes one of `nodes`, and is missed where there is none
        or the lab refuses it (its node has gone meanwhile)."""
        kind = fault.kind
        doomed = {s.instance for s in self.injected if s.fault.kind.name in ("kill", "interrupt")}
        there = sorted(set(nodes) - doomed)
        if kind.at_node and not there:
            self.missed.append(f"{kind.name}: no node to hit")
            return
        node = there[int(fault.chance * len(there))] if kind.at_node else None
        # Before it is done: its effects may come at once.
        injected = Injected(fault, time.time(), node)
        done = self.lab.run(*_words(fault, node))
        if done.returncode != 0:
            self.missed.append(f"{kind.name}: {done.stderr.strip()[-200:]}")
            return
        self.injected.append(injected)
        self.log(f"fault: {kind.name} {node or ''}".rstrip())
        if not fault.lasts_s:
            injected.until = time.time()

    def end(self, injected: Injected) -> None:
        """Undo one that lasts."""
        words = _undone(injected.fault.kind.name, injected.instance)
        if words:
            done = self.lab.run(*words)
            gone = injected.instance is not None and "There is no node" in done.stderr
            if done.returncode != 0 and not gone and "is not running" not in done.stderr:
                raise AssertionError(f"{' '.join(words)}: {done.stderr}")
        injected.until = time.time()
        self.log(f"over: {injected.fault.kind.name} {injected.instance or ''}".rstrip())

    def lasting(self) -> list[Injected]:
        """Those that are not over."""
        return [injected for injected in self.injected if injected.until is None]


def _words(fault: Fault, node: str | None) -> list[str]:
    name = fault.kind.name
    match name:
        case "kill" | "cut" | "interrupt":
            return [name, str(node)]
        case "rebalance":
            return ["interrupt", "--rebalance", str(node)]
        case "chef-stop":
            return ["chef", "stop"]
        case "hub-restart":
            killed = "docker kill $(docker ps --quiet --filter label=labswarm-hub=true)"
            return ["shell", "hub", "--", "sh", "-c", killed]
        case "crash":
            when, times = ("before", "after")[fault.chance < 0.5], 1 + int(fault.chance * 4)
            return [
                "fault",
                "set",
                "functions",
                "--crash",
                "*",
                "--when",
                when,
                "--times",
                f"{times}",
            ]
        case "throttle":
            each = [word for action in THROTTLED for word in ("--calls", f"{action}=5")]
            return ["fault", "set", "throttling", *each]
        case "duplicate":
            seed = str(int(fault.chance * 1e6))
            return [
                "fault",
                "set",
                "events",
                "--duplicates",
                "0.5",
                "--reordered",
                "0.2",
                "--seed",
                seed,
            ]
        case "drop":
            return [
                "fault",
                "set",
                "events",
                "--loss",
                "0.3",
                "--seed",
                f"{int(fault.chance * 1e6)}",
            ]
    raise ValueError(f"there is no fault {name}")


def _undone(name: str, node: str | None) -> list[str]:
    match name:
        case "cut":
            return ["heal", str(node)]
        case "chef-stop":
            return ["chef", "start"]
        case "crash":
            return ["fault", "clear", "functions"]
        case "throttle":
            return ["fault", "clear", "throttling"]
        case "duplicate" | "drop":
            return ["fault", "clear", "events"]
    return []
