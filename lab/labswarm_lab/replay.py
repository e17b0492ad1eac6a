"""`labswarm lab replay`: put a sample event on the emulator's bus, as AWS would put it."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from labswarm_lab.asking import put_event
from labswarm_lab.lab import Lab
from labswarm_lab.naming import worker_named
from labswarm_lab.observe import observe
from labswarm_lab.scale import chosen_to_go
from labswarm_operator.progress import step
from labswarm_operator.refusal import Failure, Refusal

# The placeholders in the samples of `events/`.
SAMPLE_INSTANCE = "i-0123456789abcdef0"
SAMPLE_GROUP = "labswarm-lab-workers"
SAMPLE_CLUSTER = "lab"
_PATIENCE_S = 30.0
_LOOK_S = 0.1


@dataclass(frozen=True)
class Fill:
    """The values for a sample's placeholders: an instance and its group."""

    cluster: str
    instance_id: str
    group: str
    group_arn: str


def replay(lab: Lab, file: Path, *, instance: str | None, as_json: bool) -> None:
    """Put the file's event on the bus; print the rules that match it and the executions it started.

    Raises Refusal if the file holds no event, or the event needs an instance and there is none;
    Failure if a target refuses it.
    """
    _ = lab.running
    event = read_event(file)
    event = filled(event, _fill(lab, event, instance))
    with step(f"sending {event['detail-type']}"):
        try:
            event_id = put_event(lab, event)
        except Refusal as refusal:
            raise Refusal(f"FILE {file}: {refusal}") from refusal
        started = _started(lab, event_id)
    if as_json:
        click.echo(json.dumps({"id": event_id, "event": event, "started": started}))
    elif not started:
        click.echo("No rule matches the event, so nothing was started.")
    for one in started if not as_json else ():
        name = f", execution {one['execution']}" if one["execution"] else ""
        click.echo(f"{one['rule']}: {one['target']}{name}")


def read_event(file: Path) -> dict[str, Any]:
    """Read the event in a file. Raises Refusal if EventBridge would not take it."""
    try:
        event = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal(f"FILE {file} is not JSON ({error}). Choose a file of events/.") from error
    lacking = [
        name
        for name in ("source", "detail-type", "detail")
        if not isinstance(event, dict) or name not in event
    ]
    if lacking:
        raise Refusal(
            f"FILE {file} lacks {', '.join(lacking)}, and EventBridge needs them. "
            "Choose a file of events/."
        )
    return dict(event)


def names_instance(event: Mapping[str, Any]) -> bool:
    """Return whether the event has the placeholder of an instance."""
    return SAMPLE_INSTANCE in json.dumps(event)


def filled(event: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
    """Return the event dated now, with the lab's values for the placeholders."""
    detail = _with(event["detail"], fill)
    if detail.get("cluster") == SAMPLE_CLUSTER:
        detail["cluster"] = fill.cluster
    if "LifecycleActionToken" in detail:
        detail["LifecycleActionToken"] = str(uuid.uuid4())
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fresh = {"id": str(uuid.uuid4()), "time": now, "detail": detail}
    return {**_with(event, fill), **fresh}


def _with(value: Any, fill: Fill) -> Any:
    """A value with every placeholder in it filled in."""
    if isinstance(value, Mapping):
        return {name: _with(inner, fill) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with(inner, fill) for inner in value]
    if not isinstance(value, str):
        return value
    if value.endswith(f":autoScalingGroupName/{SAMPLE_GROUP}"):
        return fill.group_arn
    # An execution's input is an event as a text.
    return value.replace(SAMPLE_INSTANCE, fill.instance_id).replace(SAMPLE_GROUP, fill.group)


def _fill(lab: Lab, event: Mapping[str, Any], instance: str | None) -> Fill:
    groups = lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    by_instance = {i["InstanceId"]: group for group in groups for i in group["Instances"]}
    named = SAMPLE_INSTANCE
    if instance is not None:
        if not names_instance(event):
            raise Refusal("--instance: the event in FILE names no instance. Leave the option out.")
        named = worker_named(lab, instance)
    elif names_instance(event):
        emptiest = chosen_to_go([n for n in observe(lab).nodes if n.asg == "InService"], 1)
        if not emptiest:
            raise Refusal(
                "The event names an instance, and the lab has no worker in service. "
                f"Start one with {lab.command('scale 1')}, or name one with --instance."
            )
        named = emptiest[0].instance_id
    group = by_instance.get(named) or groups[0]
    return Fill(lab.cluster, named, group["AutoScalingGroupName"], group["AutoScalingGroupARN"])


def _started(lab: Lab, event_id: str) -> list[dict[str, Any]]:
    """Wait until each rule that matched has delivered; return its target and execution.

    The bus matches rules before it answers. Raises Failure if a target refuses the event.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        lines = [
            line
            for text in (lab.emulator_dir / "record.jsonl").read_text().splitlines()
            if event_id in text and (line := _line(text)).get("event") == event_id
        ]
        for line in lines:
            if line["part"] == "events" and line["what"] in ("dropped", "dead letter", "failed"):
                raise Failure(f"{line['target']} refused the event: {line}")
        delivered = {line["target"] for line in lines if line["what"] == "delivered"}
        started = [
            {
                "rule": line["rule"],
                "target": line["target"].rpartition(":")[2],
                "execution": _execution(lines, line["target"]),
            }
            for line in lines
            if line["what"] == "matched"
        ]
        if delivered >= {line["target"] for line in lines if line["what"] == "matched"}:
            return started
        if time.monotonic() > deadline:
            raise Failure(
                f"The event was not delivered within {_PATIENCE_S:g} s. "
                f"See {lab.command('logs record')}."
            )
        time.sleep(_LOOK_S)


def _execution(lines: list[dict[str, Any]], target: str) -> str | None:
    machine = target.rpartition(":")[2]
    for line in lines:
        if line["part"] == "stepfunctions" and line["machine"] == machine:
            return str(line["execution"])
    return None


def _line(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError:
        return {}  # still being written
