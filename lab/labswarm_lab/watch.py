"""`labswarm lab watch`: a live view of the lab: reading it, and drawing it."""

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from labswarm.cluster import INSTANCE_ID
from labswarm.snapshot import NodeSeen
from labswarm_lab.collapsed import clock, collapsed
from labswarm_lab.lab import Lab
from labswarm_lab.status import asg_view
from labswarm_lab.swarm_seen import clusters, swarm_of, workers_seen
from labswarm_lab.timeline_events import read
from labswarm_node.swarm import Server
from labswarm_operator.refusal import Failure

REFRESH_S = 1.0
EVENTS = 40
QUIT = "q"
_LEAST_EVENTS = 3
_MOST_RUNS = 8
_NODE_WIDTH = 38
_LONGEST_LINE = 64 * 1024
_STYLES = {"active": "green", "pause": "yellow", "drain": "yellow", "down": "red"}


@dataclass(frozen=True)
class Worker:
    """One worker: its state in its group and in the Swarm, and its students.

    Either side is None where it does not know the worker.
    """

    instance_id: str
    asg: str | None
    swarm: NodeSeen | None
    students: Sequence[str]
    group: str = ""


@dataclass(frozen=True)
class Execution:
    """A running execution of one of the app's machines; `about` is its instance, if it has one."""

    machine: str
    about: str
    age_s: int


@dataclass(frozen=True)
class Frame:
    """All that is drawn; `events` are the lines of `lab timeline`, oldest first."""

    lab: str
    hub: str | None
    at: float
    workers: Sequence[Worker]
    waiting: Sequence[str]
    executions: Sequence[Execution]
    events: Sequence[str]


def watch(lab: Lab) -> None:
    """Draw the lab every second until q or Ctrl-C; once, where there is no terminal.

    Raises Refusal when the lab is not up, Failure when it does not answer.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.print(draw(look(lab)))
        return
    try:
        with _keys(), Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                begun = time.monotonic()
                live.update(draw(look(lab), console.height), refresh=True)
                if _asked_to_quit(max(0.0, begun + REFRESH_S - time.monotonic())):
                    return
    except KeyboardInterrupt:
        return


def look(lab: Lab) -> Frame:
    """The lab's state now. Raises Refusal when it is not up, Failure without an answer."""
    running = lab.running
    try:
        workers, waiting = _workers(lab)
        executions = _executions(lab.client("stepfunctions"))
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"The lab's AWS emulator does not answer: {error}.") from error
    return Frame(
        lab=lab.cluster,
        hub=running.hub,
        at=time.time(),
        workers=workers,
        waiting=waiting,
        executions=executions,
        events=last_events(lab.emulator_dir / "record.jsonl", EVENTS),
    )


def draw(frame: Frame, height: int | None = None) -> RenderableType:
    """The frame, for a console of any width: all of it, or as much as fits into `height` lines.

    If it does not fit, older events are left out first, then the boxes, for a line each, and then
    the students. That something is left out is said.
    """
    return _Picture(frame, height)


def last_events(record: Path, count: int) -> list[str]:
    """The last things that happened, as `lab timeline` says them; empty without a record."""
    try:
        with record.open("rb") as file:
            file.seek(max(0, record.stat().st_size - _LONGEST_LINE))
            # The last line may still be being written, the first may be cut.
            lines = file.read().decode(errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    events = [one for line in lines if (one := read(line)) is not None]
    return [
        f"{clock(said.one.at)} {said.one.instance_id or 'lab'} {said}"
        for said in collapsed(events)[-count:]
    ]


class _Worded(Protocol):
    """A way to draw the workers."""

    def __call__(self, workers: Sequence[Worker]) -> RenderableType: ...


@dataclass(frozen=True)
class _Picture:
    frame: Frame
    height: int | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(height=None)

        def lines(part: RenderableType) -> int:
            return len(console.render_lines(part, wide, pad=False))

        frame, height = self.frame, self.height
        above = [_head(frame, quits=height is not None), *_waiting(frame)]
        ways: list[_Worded] = [_boxes, _rows, _short_rows]
        if height is None:
            yield Group(*above, _boxes(frame.workers), _runs(frame, _MOST_RUNS), _events(frame))
            return
        # A last line that is written to its end would move the screen up.
        room = height - 1 - sum(map(lines, above))
        wanted = min(_LEAST_EVENTS, len(frame.events)) + 1
        for most in (_MOST_RUNS, 1):
            runs = _runs(frame, most)
            for way in ways:
                left = room - lines(way(frame.workers)) - lines(runs)
                if left >= wanted:
                    fitting = _fitting(frame.events, left - 1, lines)
                    yield Group(*above, way(frame.workers), runs, _events(frame, fitting))
                    return
        shown = min(len(frame.workers), max(0, room - 1))
        rest = len(frame.workers) - shown
        more = Text(f"and {rest} more workers: a higher terminal shows them", "bold")
        yield Group(*above, _short_rows(frame.workers[:shown]), *([more] if rest else []))


def _fitting(events: Sequence[str], room: int, lines: Any) -> list[str]:
    """The last events that have room together."""
    kept: list[str] = []
    for event in reversed(events):
        room -= lines(_event(event))
        if room < 0:
            break
        kept.insert(0, event)
    return kept


def _head(frame: Frame, *, quits: bool) -> RenderableType:
    seats = sum(worker.swarm.seats for worker in frame.workers if worker.swarm)
    students = sum(len(worker.students) for worker in frame.workers)
    return Text.assemble(
        (f"lab {frame.lab}", "bold"),
        f"  {clock(frame.at)}  hub {frame.hub or 'none'}",
        ("  q quits" if quits else "", "dim"),
        f"\n{len(frame.workers)} workers, {students} of {seats} seats taken, ",
        (f"{len(frame.waiting)} waiting", "bold red" if frame.waiting else ""),
    )


def _waiting(frame: Frame) -> list[RenderableType]:
    """The students who wait for a seat, and the instances that wait for a hook to be completed."""
    parts: list[RenderableType] = []
    if frame.waiting:
        parts.append(Text(f"waiting for a seat: {', '.join(frame.waiting)}", "red"))
    held = [worker for worker in frame.workers if (worker.asg or "").endswith(":Wait")]
    if held:
        named = ", ".join(worker.instance_id for worker in held)
        parts.append(Text(f"waiting in a hook: {named}", "yellow"))
    return parts


def _runs(frame: Frame, most: int) -> RenderableType:
    """The running executions; of more than `most`, the oldest."""
    shown, rest = frame.executions[:most], len(frame.executions) - most
    return Group(
        Text.assemble(("executions", "bold"), ("" if shown else "  none runs", "dim")),
        *(Text(f"  {run.machine}  {run.about}  {run.age_s} s") for run in shown),
        *([Text(f"  and {rest} more")] if rest > 0 else []),
    )


def _events(frame: Frame, events: Sequence[str] | None = None) -> RenderableType:
    shown = frame.events[-_MOST_RUNS:] if events is None else events
    return Group(Text("events", "bold"), *map(_event, shown))


def _event(event: str) -> RenderableType:
    return Text(f"  {event}", "dim")


def _boxes(workers: Sequence[Worker]) -> RenderableType:
    titles = [_title(worker, several=_several(workers)) for worker in workers]
    width = max([_NODE_WIDTH, *(len(title) + 6 for title in titles)])
    boxes = [_box(worker, title, width) for worker, title in zip(workers, titles, strict=True)]
    return Columns(boxes) if boxes else Group()


def _box(worker: Worker, title: str, width: int) -> RenderableType:
    states, seats, style = _look_of(worker)
    body = Group(Text(states), seats, Text(", ".join(worker.students), "dim"))
    return Panel(body, title=Text(title), border_style=style, width=width)


def _rows(workers: Sequence[Worker]) -> RenderableType:
    """A line a worker, and more where its students need them."""
    return Group(
        *(
            Text.assemble(_row(worker, workers), (f"  {', '.join(worker.students)}", "dim"))
            for worker in workers
        )
    )


def _short_rows(workers: Sequence[Worker]) -> RenderableType:
    """A line a worker, and how many sit there."""
    return Group(*(_row(worker, workers) for worker in workers))


def _row(worker: Worker, workers: Sequence[Worker]) -> Text:
    states, seats, style = _look_of(worker)
    title = _title(worker, several=_several(workers))
    return Text.assemble((title, style), f"  {states}  ", seats)


def _title(worker: Worker, *, several: bool) -> str:
    return f"{worker.group} {worker.instance_id}" if several else worker.instance_id


def _several(workers: Sequence[Worker]) -> bool:
    return len({worker.group for worker in workers}) > 1


def _look_of(worker: Worker) -> tuple[str, Text, str]:
    """A worker's states, its seats, and their style."""
    seen = worker.swarm
    if seen is None:
        return worker.asg or "not in the group", Text("not in the Swarm", "dim"), ""
    states = [worker.asg or "not in the group", seen.state, seen.availability]
    style = _STYLES.get(seen.state) or _STYLES.get(seen.availability, "")
    taken, free = len(worker.students), max(0, seen.seats - len(worker.students))
    return ", ".join(states), Text.assemble(("■" * taken, style), ("□" * free, "dim")), style


@contextmanager
def _keys() -> Iterator[None]:
    """Keys come one by one and are not shown, where standard input is a terminal."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _asked_to_quit(within_s: float) -> bool:
    """Whether q is pressed within this time."""
    if not sys.stdin.isatty():
        time.sleep(within_s)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], within_s)
    # Not by the line, nor through a buffer that select would not see.
    return bool(ready) and os.read(sys.stdin.fileno(), 1).decode(errors="replace").lower() == QUIT


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
            workers.append(Worker(name, state, node, there, cluster.name))
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
            instance = INSTANCE_ID.search(given)
            age_s = int(time.time() - one["startDate"].timestamp())
            found.append(Execution(machine["name"], instance[0] if instance else "", age_s))
    return sorted(found, key=lambda one: -one.age_s)
