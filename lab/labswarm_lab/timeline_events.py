"""The emulator's record for people: the events of each instance, and the state it reached."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Phase = Literal["launched", "waiting", "joined", "open", "paused", "leaving", "gone"]
Kind = Literal["phase", "step", "notice", "execution", "failure"]

_LONGEST_WHY = 160

# The phase of an instance, by its state in its group. InService gives no phase: Swarm decides when
# a node is open.
_STATES: Mapping[str, tuple[Phase, str]] = {
    "Pending": ("launched", "launched by its group"),
    "Pending:Wait": ("waiting", "waits for its launch hook"),
    "Terminating": ("leaving", "its group ends it"),
    "Terminated": ("gone", "terminated"),
}
_COMMANDS: Mapping[str, tuple[Phase | None, str]] = {
    "node-bootstrap": (None, "known to Chef"),
    "node-join": ("joined", "has joined the Swarm, paused"),
    "node-pull": (None, "has the class images"),
    "manager-activate": ("open", "open"),
    "manager-pause": ("paused", "paused: no more servers start on it"),
    "manager-notify": ("paused", "paused, and its students are notified"),
    "manager-evacuate": (None, "its students are moved"),
    "manager-drain": (None, "drained"),
    "node-leave": (None, "has left the Swarm"),
    "manager-remove": (None, "removed from the Swarm"),
}
_NOTICES: Mapping[tuple[str, str], str] = {
    ("spot", "EC2 Spot Instance Interruption Warning"): "EC2 sends a spot warning",
    ("spot", "EC2 Instance Rebalance Recommendation"): "EC2 sends a rebalance recommendation",
    ("spot", "killed"): "EC2 ends it",
    ("network", "cut"): "its link is cut",
    ("network", "healed"): "its link is healed",
}
# States that change nothing for a person.
_BETWEEN = ("Pending:Proceed", "Terminating:Wait", "Terminating:Proceed")
# A machine retries a tool that fails; a command without an answer is a failure.
_SILENT_COMMAND = ("Delayed", "Undeliverable", "ExecutionTimedOut", "DeliveryTimedOut", "lost")
_FAILED_EVENT = ("failed", "dropped", "dead letter")
_FAILED_EXECUTION = ("FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True)
class TimelineEvent:
    """An event at `at` (epoch seconds) of an instance, or of the whole lab if that is None.

    `phase` is the instance's phase from then on, if it changes. Of an execution, `machine` is its
    state machine, `execution` its ARN, and `status` its end, None when it begins.
    """

    at: float
    instance_id: str | None
    kind: Kind
    text: str
    phase: Phase | None = None
    group: str | None = None
    machine: str | None = None
    execution: str | None = None
    status: str | None = None


def event_of(line: Mapping[str, Any]) -> TimelineEvent | None:
    """Return the event of a line of the record; None for lines that only machines need."""
    at, part, what = float(line["at"]), str(line["part"]), str(line["what"])
    instance: str | None = line.get("instance")
    match part:
        case "autoscaling":
            return _of_group(at, instance, what, line)
        case "ec2" | "spot" | "network":
            return _of_machine(at, instance, part, what, line)
        case "ssm":
            return _of_command(at, instance, what, line)
        case "stepfunctions":
            return _of_execution(at, instance, what, line)
        case "functions" if what == "failed":
            return _of_function(at, line)
        case "events" if what in _FAILED_EVENT:
            name = _ours(str(line.get("target", "")).rpartition(":")[2])
            why = _why(line.get("error") or line.get("why"))
            return TimelineEvent(at, None, "failure", f"event for {name}: {what}: {why}")
        case "events" if what == "replayed":
            return TimelineEvent(at, instance, "notice", f"replayed: {line.get('kind')}")
        case "faults" if what in ("on", "off"):
            return TimelineEvent(
                at, None, "notice", f"fault {line.get('kind') or 'of any kind'}: {what}"
            )
        case "cloudformation":
            return TimelineEvent(at, None, "step", f"stack {line.get('stack')} {what}")
    return None


def timeline_events(record: Path) -> Iterator[TimelineEvent]:
    """Yield the events of a record, in order; none if there is no record.

    An unfinished line is left out.
    """
    try:
        lines = record.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with lines:
        for line in lines:
            if (event := read(line)) is not None:
                yield event


def read(line: str) -> TimelineEvent | None:
    """Return the event of one line of the record's file; None also for an unfinished line."""
    if not line.endswith("\n"):
        return None
    try:
        return event_of(json.loads(line))
    except (ValueError, KeyError, TypeError):  # its beginning is cut off
        return None


def _of_function(at: float, line: Mapping[str, Any]) -> TimelineEvent:
    name, error = _ours(line.get("function")), str(line.get("error"))
    if '"errorType": "Transient"' in error:
        return TimelineEvent(at, None, "step", f"{name} is retried: {_why(error)}")
    return TimelineEvent(at, None, "failure", f"{name} failed: {_why(error)}")


def _of_group(
    at: float, instance: str | None, what: str, line: Mapping[str, Any]
) -> TimelineEvent | None:
    group = line.get("group")
    if what in _BETWEEN:
        return None
    if what in _STATES:
        phase, text = _STATES[what]
        return TimelineEvent(at, instance, "phase", text, phase, group)
    if what == "InService":
        return TimelineEvent(at, instance, "step", "in service", group=group)
    if "hook" in line:
        kind: Kind = "failure" if what == "ABANDON" else "step"
        return TimelineEvent(at, instance, kind, f"hook {line['hook']}: {what}", group=group)
    why = _why(line.get("why") or line.get("error") or "")
    return TimelineEvent(at, instance, "step", f"group: {what}{f' ({why})' if why else ''}")


def _of_machine(
    at: float, instance: str | None, part: str, what: str, line: Mapping[str, Any]
) -> TimelineEvent | None:
    if (part, what) in _NOTICES:
        phase: Phase | None = "gone" if what == "killed" else None
        return TimelineEvent(at, instance, "notice", _NOTICES[part, what], phase)
    if what == "boot" and line.get("tags", {}).get("labswarm:role") == "hub":
        return TimelineEvent(at, instance, "phase", "the hub's machine boots", "launched", "hub")
    if what == "ended":
        return TimelineEvent(at, instance, "phase", "its machine has ended", "gone")
    if what.endswith("failed"):
        return TimelineEvent(at, instance, "failure", f"{what}: {_why(line.get('failure'))}")
    return None


def _of_command(
    at: float, instance: str | None, what: str, line: Mapping[str, Any]
) -> TimelineEvent | None:
    if "document" not in line:
        text = {"Online": "its agent is online", "ConnectionLost": "its agent is lost"}.get(what)
        return None if text is None else TimelineEvent(at, instance, "step", text)
    document = _ours(line["document"])
    about = line.get("about") or instance
    if what == "Success" and document in _COMMANDS:
        phase, text = _COMMANDS[document]
        return TimelineEvent(at, about, "phase" if phase else "step", text, phase)
    if what == "Failed":
        return TimelineEvent(at, about, "step", f"{document}: failed, its machine may retry it")
    if what in _SILENT_COMMAND:
        return TimelineEvent(at, about, "failure", f"command {document}: {what}")
    return None


def _of_execution(
    at: float, instance: str | None, what: str, line: Mapping[str, Any]
) -> TimelineEvent:
    machine = _ours(line["machine"])
    failed = what in _FAILED_EXECUTION
    return TimelineEvent(
        at,
        instance,
        "failure" if failed else "execution",
        f"{machine} {what.lower()}{': ' + _why(line.get('error')) if failed else ''}",
        machine=machine,
        execution=line["execution"],
        status=None if what == "started" else what,
    )


def _ours(name: object) -> str:
    """Return a name of the app without its common beginning."""
    return str(name).removeprefix("labswarm-")


def _why(given: object) -> str:
    """Return a failure's message as one line, shortened."""
    text = " ".join(str(given or "no reason given").split()) if given != "" else ""
    with suppress(ValueError, KeyError, TypeError):  # else it is no function's error
        text = str(json.loads(text)["errorMessage"])
    return text if len(text) <= _LONGEST_WHY else text[: _LONGEST_WHY - 1] + "…"
