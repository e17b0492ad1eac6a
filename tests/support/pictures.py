"""Draw the pictures of docs/images with the lab's own `watch`, from a recording of a real lab.

`python -m tests.support.pictures` draws them again, after a change of the words of `watch`.
`python -m tests.support.pictures record` records them again first, on a real Swarm, as root: three
minutes on a quiet machine. Do that after a change of the events that the machines leave.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from labswarm.lab_hours.booking import Booking
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals
from labswarm.planning.students import Lab as BookedLab
from labswarm.readiness.planned import distributions
from labswarm.snapshot import NodeSeen
from labswarm_lab.lab import Lab
from labswarm_lab.timeline_events import read
from labswarm_lab.watch import EVENTS, Execution, Frame, Worker, last_events, look
from labswarm_lab.watch_svg import draw_to
from labswarm_operator.planning.picture import picture as picture_of
from labswarm_operator.planning.prices import node_prices
from labswarm_operator.planning.reading import Sizes, given

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
RECORDING = IMAGES / "recording.json"
LAB = "physics"
PLAN = "plan"
TUESDAY = 1_796_738_400.0
"""2026-12-08T14:00Z."""
STUDENTS = 12
_COMMAND = Path(sys.executable).with_name("labswarm")
_LOOK_S = 0.2
_PATIENCE_S = 240.0
# Enough lines for all the events of a picture, also where an instance repeats some.
_LINES = 4 * EVENTS


def draw_all(folder: Path) -> list[Path]:
    """Draw each picture of the recording, and of a plan, into the folder; times of day are in
    UTC."""
    recording = json.loads(RECORDING.read_text(encoding="utf-8"))
    pictures = []
    with _utc():
        for name, taken in recording.items():
            pictures.append(folder / f"{name}.svg")
            draw_to(pictures[-1], _frame(taken))
        pictures.append(folder / f"{PLAN}.svg")
        pictures[-1].write_text(_planned(), encoding="utf-8")
    return pictures


def _planned() -> str:
    """350 students on a cluster that is too small for them, as docs/reference/plan.md shows it."""
    cluster = given(Sizes("m7i.large", node_seats=7, max_nodes=12))
    cluster = replace(cluster, prices=node_prices("eu-west-1", "m7i.large"))
    lab = BookedLab(Booking("Physics", TUESDAY, TUESDAY + 7200, 350), 350)
    return picture_of(plan([lab], cluster, Arrivals(), distributions(cluster, (), 0.05), seed=1))


def _frame(taken: dict[str, Any]) -> Frame:
    """The frame as it was taken, with its events worded by the code of today."""
    facts = dict(taken["frame"])
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        record.write_text("".join(f"{json.dumps(line)}\n" for line in taken["record"]))
        events = last_events(record, EVENTS)
    facts["workers"] = [
        Worker(**{**worker, "swarm": worker["swarm"] and NodeSeen(**worker["swarm"])})
        for worker in facts["workers"]
    ]
    facts["executions"] = [Execution(**execution) for execution in facts["executions"]]
    return Frame(**facts, events=events)


@contextmanager
def _utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def record(name: str = LAB) -> None:
    """Bring a lab up, seat a class, interrupt its fullest worker, and keep three looks at it."""
    lab = Lab.named(name)
    taken = {}
    _labswarm(name, "up", "--workers", "1")
    try:
        arriving = subprocess.Popen([str(_COMMAND), "lab", "--name", name, "class", str(STUDENTS)])
        taken["watch-1-no-seat-left"] = _take(lab, _no_seat_left)
        assert arriving.wait(timeout=_PATIENCE_S) == 0, "the class was not seated"
        seated = _until(lab, _all_seated)
        fullest = max(seated.workers, key=lambda worker: len(worker.students)).instance_id
        _labswarm(name, "interrupt", fullest)
        taken["watch-2-spot-warning"] = _take(lab, lambda frame: _warned(frame, fullest))
        taken["watch-3-moved"] = _take(lab, lambda frame: _moved(frame, fullest))
    finally:
        _labswarm(name, "down", "--homes")
    RECORDING.write_text(json.dumps(taken, indent=1) + "\n", encoding="utf-8")


def _labswarm(name: str, *words: str) -> None:
    subprocess.run([str(_COMMAND), "lab", "--name", name, *words], check=True)


def _take(lab: Lab, wanted: Callable[[Frame], bool]) -> dict[str, Any]:
    """The first look at the lab that is as wanted, with the end of the emulator's record."""
    frame = _until(lab, wanted)
    lines = (lab.emulator_dir / "record.jsonl").read_text().splitlines(keepends=True)
    shown = [line for line in lines if read(line) is not None][-_LINES:]
    facts = asdict(replace(frame, events=[]))
    del facts["events"]
    return {"frame": facts, "record": [json.loads(line) for line in shown]}


def _until(lab: Lab, wanted: Callable[[Frame], bool]) -> Frame:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        frame = look(lab)
        if wanted(frame):
            return frame
        time.sleep(_LOOK_S)
    raise TimeoutError(f"not seen within {_PATIENCE_S:.0f} s; the last look was {frame}")


def _starting(frame: Frame) -> bool:
    """Whether a worker waits in its launch hook and works on it."""
    held = {worker.instance_id for worker in frame.workers if worker.asg == "Pending:Wait"}
    return any(run.about in held and run.age_s >= 1 for run in frame.executions)


def _no_seat_left(frame: Frame) -> bool:
    return len(frame.waiting) > 1 and _starting(frame)


def _all_seated(frame: Frame) -> bool:
    # The second worker's launch is over too, so that nothing of it is in the next picture.
    seated = sum(len(worker.students) for worker in frame.workers)
    return seated == STUDENTS and not frame.waiting and not frame.executions


def _of(frame: Frame, instance_id: str) -> Worker:
    return next(worker for worker in frame.workers if worker.instance_id == instance_id)


def _warned(frame: Frame, instance_id: str) -> bool:
    worker = _of(frame, instance_id)
    paused = worker.swarm is not None and worker.swarm.availability == "pause"
    return paused and len(worker.students) > 1 and _starting(frame)


def _moved(frame: Frame, instance_id: str) -> bool:
    worker = _of(frame, instance_id)
    empty = not worker.students and not frame.waiting
    seated = sum(len(other.students) for other in frame.workers) == STUDENTS
    return empty and seated and worker.swarm is not None and worker.swarm.state == "down"


if __name__ == "__main__":
    if sys.argv[1:] == ["record"]:
        record()
    for picture in draw_all(IMAGES):
        print(picture)
