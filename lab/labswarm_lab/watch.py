"""`labswarm lab watch`: the lab as it lives; what is seen, and how it is drawn."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from labswarm.snapshot import NodeSeen
from labswarm_lab.lab import Lab
from labswarm_lab.refusal import Failure
from labswarm_lab.status import asg_view
from labswarm_lab.swarm_seen import clusters, swarm_of, workers_seen
from labswarm_node.swarm import Server

REFRESH_S = 1.0
EVENTS = 8
_NODE_WIDTH = 38
_LONGEST_LINE = 64 * 1024
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_STYLES = {"active": "green", "pause": "yellow", "drain": "yellow", "down": "red"}


@dataclass(frozen=True)
class Worker:
    """One worker: what its group says of it, what the Swarm does, and who is there.

    Either side is None where it does not know the worker.
    """

    instance_id: str
    asg: str | None
    swarm: NodeSeen | None
    students: Sequence[str]


@dataclass(frozen=True)
class Execution:
    """A running execution of one of the app's machines; `about` is its instance, if it has one."""

    machine: str
    about: str
    age_s: int


@dataclass(frozen=True)
class Frame:
    """All that is drawn; `events` are lines of the plane's record, oldest first."""

    lab: str
    hub: str | None
    at: float
    workers: Sequence[Worker]
    waiting: Sequence[str]
    executions: Sequence[Execution]
    events: Sequence[str]


def watch(lab: Lab) -> None:
    """Draw the lab every second until Ctrl-C; once, where there is no terminal.

    Raises Refusal when the lab is not up, Failure when it does not answer.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.print(draw(look(lab)))
        return
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                begun = time.monotonic()
                live.update(draw(look(lab)), refresh=True)
                time.sleep(max(0.0, begun + REFRESH_S - time.monotonic()))
    except KeyboardInterrupt:
        return


def look(lab: Lab) -> Frame:
    """What there is of the lab now. Raises Refusal when it is not up, Failure without an answer."""
    running = lab.running
    try:
        workers, waiting = _workers(lab)
        executions = _executions(lab.client("stepfunctions"))
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"the lab's plane does not answer: {error}") from error
    return Frame(
        lab=lab.cluster,
        hub=running.hub,
        at=time.time(),
        workers=workers,
        waiting=waiting,
        executions=executions,
        events=last_events(lab.plane_dir / "record.jsonl", EVENTS),
    )


def draw(frame: Frame) -> RenderableType:
    """The frame, for a console of any width."""
    seats = sum(worker.swarm.seats for worker in frame.workers if worker.swarm)
    students = sum(len(worker.students) for worker in frame.workers)
    at = datetime.fromtimestamp(frame.at).strftime("%H:%M:%S")
    head = Text.assemble(
        (f"lab {frame.lab}", "bold"),
        f"  {at}  hub {frame.hub or 'none'}\n",
        f"{len(frame.workers)} workers, {students} of {seats} seats taken, ",
        (f"{len(frame.waiting)} waiting", "bold red" if frame.waiting else ""),
    )
    parts: list[RenderableType] = [head]
    if frame.workers:
        parts.append(Columns([_box(worker) for worker in frame.workers]))
    if frame.waiting:
        parts.append(Text(f"waiting for a seat: {', '.join(frame.waiting)}", "red"))
    parts.append(Text("executions", "bold"))
    parts.extend(
        Text(f"  {run.machine}  {run.about}  {run.age_s} s", no_wrap=True)
        for run in frame.executions
    )
    if not frame.executions:
        parts.append(Text("  none runs", "dim"))
    parts.append(Text("events", "bold"))
    parts.extend(Text(f"  {event}", "dim", no_wrap=True) for event in frame.events)
    return Group(*parts)


def last_events(record: Path, count: int) -> list[str]:
    """The last lines of the plane's record, as a person reads them; empty when there is none."""
    try:
        with record.open("rb") as file:
            file.seek(max(0, record.stat().st_size - _LONGEST_LINE))
            # The last line may still be being written, the first may be cut.
            lines = file.read().decode(errors="replace").rpartition("\n")[0].splitlines()[-count:]
    except FileNotFoundError:
        return []
    return [_told(json.loads(line)) for line in lines if line.startswith("{")]


def _told(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["at"]).strftime("%H:%M:%S")
    subject = ("document", "rule", "function", "stack", "instance", "failure", "error")
    about = [str(event[name]) for name in subject if event.get(name)]
    return " ".join([at, event["part"], event["what"], *about])


def _box(worker: Worker) -> Panel:
    seen = worker.swarm
    states = [worker.asg or "not in the group"]
    style = ""
    seats = Text("not in the Swarm", "dim")
    if seen is not None:
        states += [seen.state, seen.availability]
        style = _STYLES.get(seen.state) or _STYLES.get(seen.availability, "")
        free = max(0, seen.seats - len(worker.students))
        seats = Text.assemble(("■" * len(worker.students), style), ("□" * free, "dim"))
    body = Group(Text(", ".join(states)), seats, Text(", ".join(worker.students), "dim"))
    return Panel(body, title=worker.instance_id, border_style=style, width=_NODE_WIDTH)


def _workers(lab: Lab) -> tuple[list[Worker], list[str]]:
    """Every worker that a group or the Swarm knows, and who waits."""
    swarm = swarm_of(lab)
    nodes, tasks = swarm.nodes(), swarm.tasks()
    workers = []
    for cluster in clusters(lab):
        group = asg_view(lab.client("autoscaling"), lab.client("ec2"), cluster.asg)
        seen = workers_seen(lab, cluster, nodes, tasks)
        for name in sorted({*group, *seen}):
            node = seen.get(name)
            there = [_name(t.server) for t in tasks if node and t.node_id == node.node_id]
            state, _ = group.get(name, (None, None))
            workers.append(Worker(name, state, node, there))
    return workers, [_name(task.server) for task in tasks if task.waits]


def _name(server: Server) -> str:
    return f"{server.user}/{server.name}" if server.name else server.user


def _executions(stepfunctions: Any) -> list[Execution]:
    """The running executions, oldest first."""
    found = []
    for machine in stepfunctions.list_state_machines()["stateMachines"]:
        running = stepfunctions.list_executions(
            stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
        )["executions"]
        for one in running:
            given = stepfunctions.describe_execution(executionArn=one["executionArn"])["input"]
            instance = _INSTANCE.search(given)
            age_s = int(time.time() - one["startDate"].timestamp())
            found.append(Execution(machine["name"], instance[0] if instance else "", age_s))
    return sorted(found, key=lambda one: -one.age_s)
