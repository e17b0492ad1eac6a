"""The live view, drawn to text."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from labswarm.snapshot import NodeSeen
from labswarm_lab.lab import Lab
from labswarm_lab.nodes.place import Place
from labswarm_lab.refusal import Refusal
from labswarm_lab.watch import Execution, Frame, Worker, draw, last_events, watch

IDS = [f"i-{n:017x}" for n in range(3)]


def seen(instance_id: str, availability: str = "active", used: int = 0) -> NodeSeen:
    return NodeSeen("n", instance_id, "ready", availability, 4, used, "2026-11-23T14:00:00Z")


FRAME = Frame(
    lab="lab",
    hub="http://10.98.0.10:8000",
    at=1_800_000_000.0,
    workers=[
        Worker(IDS[0], "InService", seen(IDS[0], used=2), ["ada", "bob/lab 2"]),
        Worker(IDS[1], "Terminating:Wait", seen(IDS[1], "pause"), []),
        Worker(IDS[2], "Pending:Wait", None, []),
    ],
    waiting=["eve"],
    executions=[Execution("labswarm-node-launch", IDS[2], 12)],
    events=["14:00:01 autoscaling Pending:Wait i-2"],
)


def text(frame: Frame, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(draw(frame))
    out = console.file
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def test_each_worker_is_a_box_with_its_state_its_seats_and_its_students() -> None:
    drawn = text(FRAME)
    for shown in (
        *IDS,
        "InService, ready, active",
        "■■□□",
        "ada, bob/lab 2",
        "Terminating:Wait, ready, pause",
        "□□□□",
        "Pending:Wait",
        "not in the Swarm",
    ):
        assert shown in drawn, shown


def test_the_head_counts_workers_seats_and_those_who_wait() -> None:
    assert "3 workers, 2 of 8 seats taken, 1 waiting" in text(FRAME)


def test_who_waits_what_runs_and_what_happened_are_shown() -> None:
    drawn = text(FRAME)
    assert "waiting for a seat: eve" in drawn
    assert f"labswarm-node-launch  {IDS[2]}  12 s" in drawn
    assert "14:00:01 autoscaling Pending:Wait i-2" in drawn


def test_an_empty_lab_is_drawn_too() -> None:
    drawn = text(Frame("lab", None, 0.0, [], [], [], []))
    assert "0 workers, 0 of 0 seats taken, 0 waiting" in drawn
    assert "none runs" in drawn


@pytest.mark.parametrize("width", [40, 80, 200])
def test_it_fits_any_width(width: int) -> None:
    assert all(len(line) <= width for line in text(FRAME, width).splitlines())


def test_a_node_with_more_students_than_seats_is_drawn_with_them_all() -> None:
    full = Worker(IDS[0], "InService", seen(IDS[0], used=6), list("abcdef"))
    assert "■" * 6 in text(Frame("lab", None, 0.0, [full], [], [], []))


def test_names_are_shown_as_they_are_and_not_as_markup() -> None:
    odd = Worker(IDS[0], "InService", seen(IDS[0], used=1), ["[red]ada[/nonsense]"])
    assert "[red]ada[/nonsense]" in text(Frame("lab", None, 0.0, [odd], ["[b]"], [], []))


def test_events_are_the_record_s_last_lines(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    lines = [
        {"at": n, "part": "autoscaling", "what": f"state {n}", "instance": IDS[0]}
        for n in range(2000)
    ]
    record.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"at": 1, "pa')
    told = last_events(record, 2)
    assert [line.split(" ", 1)[1] for line in told] == [
        f"autoscaling state 1998 {IDS[0]}",
        f"autoscaling state 1999 {IDS[0]}",
    ]


def test_without_a_record_there_are_no_events(tmp_path: Path) -> None:
    assert last_events(tmp_path / "record.jsonl", 2) == []


def test_a_lab_that_is_not_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="is not up"):
        watch(Lab(Place("t-watch", tmp_path)))
