"""The live view, drawn to text."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from labswarm.snapshot import NodeSeen
from labswarm_lab.lab import Lab
from labswarm_lab.nodes.place import Place
from labswarm_lab.watch import Execution, Frame, Worker, draw, last_events, watch
from labswarm_lab.watch_svg import draw_to
from labswarm_operator.refusal import Refusal

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


def text(frame: Frame, width: int = 120, height: int | None = None) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(draw(frame, height))
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


def test_waiting_students_running_work_and_events_are_shown() -> None:
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


SIZES = [(80, 24), (200, 60)]


def lab_of(workers: int, students: int, groups: int = 1) -> Frame:
    """A lab in a class: so many workers with so many students each, and plenty that happens."""
    ids = [f"i-{n:017x}" for n in range(workers)]
    return Frame(
        lab="lab",
        hub="http://10.98.0.10:8000",
        at=1_800_000_000.0,
        workers=[
            Worker(
                name,
                "InService",
                seen(name, used=students),
                [f"student-{n:02}{i:02}" for i in range(students)],
                f"lab-{n % groups}" if groups > 1 else "lab",
            )
            for n, name in enumerate(ids)
        ],
        waiting=["eve", "mallory"],
        executions=[Execution("labswarm-node-launch", ids[0], 12)],
        events=[f"14:00:{n:02} {ids[n % workers]} what happened {n}" for n in range(40)],
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_class_is_drawn_whole_on_a_low_terminal_and_on_a_high_one(
    width: int, height: int
) -> None:
    frame = lab_of(workers=4, students=4)

    drawn = text(frame, width, height)

    lines = drawn.splitlines()
    assert len(lines) < height, "a line too many would move the screen up"
    assert all(len(line) <= width for line in lines)
    assert "…" not in drawn
    for worker in frame.workers:
        assert worker.instance_id in drawn
        for student in worker.students:
            assert student in drawn
    assert "eve, mallory" in drawn
    assert f"labswarm-node-launch  {IDS[0]}  12 s" in drawn
    events = [line.strip() for line in lines if "what happened" in line]
    assert events == list(frame.events[-len(events) :]), "the newest, whole"
    assert len(events) >= 3
    assert "q quits" in drawn


def test_a_high_terminal_has_boxes_side_by_side_and_all_the_events_it_has_room_for() -> None:
    drawn = text(lab_of(workers=4, students=4), 200, 60)
    assert any(line.count("╭") == 4 for line in drawn.splitlines())
    assert drawn.count("what happened") == 40


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_full_department_fits_too_and_no_worker_is_left_out(width: int, height: int) -> None:
    frame = lab_of(workers=12, students=7)
    drawn = text(frame, width, height)
    assert len(drawn.splitlines()) < height
    assert all(worker.instance_id in drawn for worker in frame.workers)
    assert drawn.count("what happened") >= 3
    assert drawn.count("■" * 7) == 12


def test_lines_that_do_not_fit_the_terminal_are_counted() -> None:
    drawn = text(lab_of(workers=30, students=1), 80, 24)
    assert len(drawn.splitlines()) < 24
    shown = sum(line.startswith("i-") for line in drawn.splitlines())
    assert f"and {30 - shown} more workers: a higher terminal shows them" in drawn


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_where_there_are_several_groups_each_worker_says_its_own(width: int, height: int) -> None:
    drawn = text(lab_of(workers=4, students=2, groups=2), width, height)
    assert f"lab-1 {IDS[1]}" in drawn
    assert "lab-" not in text(lab_of(workers=4, students=2), width, height)


def test_instances_that_wait_in_a_hook_are_named() -> None:
    assert f"waiting in a hook: {IDS[1]}, {IDS[2]}" in text(FRAME)


def test_a_node_with_more_students_than_seats_is_drawn_with_them_all() -> None:
    full = Worker(IDS[0], "InService", seen(IDS[0], used=6), list("abcdef"))
    assert "■" * 6 in text(Frame("lab", None, 0.0, [full], [], [], []))


def test_names_are_shown_as_they_are_and_not_as_markup() -> None:
    odd = Worker(IDS[0], "InService", seen(IDS[0], used=1), ["[red]ada[/nonsense]"])
    assert "[red]ada[/nonsense]" in text(Frame("lab", None, 0.0, [odd], ["[b]"], [], []))


def test_events_are_the_record_s_last_lines(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    lines = [
        {"at": n, "part": "ssm", "what": "Online", "instance": f"i-{n:017x}"} for n in range(2000)
    ]
    record.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"at": 1, "pa')
    events = last_events(record, 2)
    assert [line.split(" ", 1)[1] for line in events] == [
        f"i-{1998:017x} its agent is online",
        f"i-{1999:017x} its agent is online",
    ]


def test_without_a_record_there_are_no_events(tmp_path: Path) -> None:
    assert last_events(tmp_path / "record.jsonl", 2) == []


def test_a_lab_that_is_not_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="is not up"):
        watch(Lab(Place("t-watch", tmp_path)))


def test_a_look_is_drawn_as_a_picture_that_fetches_nothing(tmp_path: Path) -> None:
    draw_to(tmp_path / "look.svg", FRAME)

    picture = (tmp_path / "look.svg").read_text()
    root = ElementTree.fromstring(picture)  # noqa: S314  # our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    said = "".join(root.itertext()).replace("\xa0", " ")
    assert "labswarm lab watch" in said
    assert all(shown in said for shown in (*IDS, "■■", "□□", "waiting for a seat: eve"))
    assert "url(http" not in picture.replace('"', "")


def test_a_picture_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"--svg .* Choose a file"):
        draw_to(tmp_path / "none" / "look.svg", FRAME)
