"""`labswarm lab timeline`: the events of the emulator's record, by instance."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from labswarm_lab.collapsed import clock, collapsed
from labswarm_lab.lab import Lab
from labswarm_lab.timeline_events import TimelineEvent, timeline_events
from labswarm_operator.moments import moment
from labswarm_operator.refusal import Refusal

# Once an instance is on its way out, later events do not change its phase.
_OUT = ("leaving", "gone")


@dataclass(frozen=True)
class Bar:
    """An instance's phase from `begins` to `ends` (epoch seconds; None: it still is)."""

    phase: str
    begins: float
    ends: float | None


@dataclass(frozen=True)
class Run:
    """One execution; `ends` and `status` are None while it runs."""

    machine: str
    execution: str
    begins: float
    ends: float | None = None
    status: str | None = None


@dataclass
class Row:
    """One instance, or, where `instance_id` is None, the lab as a whole."""

    instance_id: str | None
    group: str | None = None
    bars: list[Bar] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    marks: list[TimelineEvent] = field(default_factory=list)


@dataclass(frozen=True)
class Timeline:
    """A lab from `begins` to `ends` (epoch seconds): a row an instance, the lab's own last."""

    lab: str
    begins: float
    ends: float
    rows: Sequence[Row]
    events: Sequence[TimelineEvent]

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "lab": self.lab,
            "begins": self.begins,
            "ends": self.ends,
            "rows": [
                {
                    "instance_id": row.instance_id,
                    "group": row.group,
                    "phases": [asdict(bar) for bar in row.bars],
                    "executions": [asdict(run) for run in row.runs],
                    "marks": [_short(mark) for mark in row.marks],
                }
                for row in self.rows
            ],
            "events": [_short(one) for one in self.events],
        }


def timeline_of(
    lab: str, happened: Iterable[TimelineEvent], now: float, since: float | None = None
) -> Timeline:
    """Rows of events; with `since` (epoch seconds), those that had ended by then are left out.

    An instance's phases follow each other without a gap, and end when it is gone.
    """
    seen = list(happened)
    rows: dict[str | None, Row] = {}
    for one in seen:
        _enter(rows.setdefault(one.instance_id, Row(one.instance_id)), one)
    begins = since if since is not None else min((one.at for one in seen), default=now)
    lasting = [_from(row, begins) for row in rows.values()]
    kept = [row for row in lasting if row.bars or row.runs or row.marks]
    # The hub's row first, because it is always there, and the lab's own last.
    kept.sort(key=lambda row: (row.instance_id is None, row.group != "hub", _first(row)))
    return Timeline(lab, begins, max(now, begins), kept, [h for h in seen if h.at >= begins])


def show_timeline(lab: Lab, *, since: str | None, svg: Path | None, as_json: bool) -> None:
    """Print it, and draw it to the file `svg`.

    Raises Refusal when the lab is not up, `since` is no time, or the file cannot be written.
    """
    _ = lab.running
    now = time.time()
    begins = None if since is None else moment(since, now)
    timeline = timeline_of(
        lab.cluster, timeline_events(lab.emulator_dir / "record.jsonl"), now, begins
    )
    if svg is not None:
        from labswarm_lab.timeline_svg import picture

        try:
            svg.write_text(picture(timeline), encoding="utf-8")
        except OSError as error:
            raise Refusal(
                f"--svg {svg}: {error.strerror}. Choose a file in an existing folder."
            ) from (error)
    click.echo(json.dumps(timeline.to_dict()) if as_json else as_text(timeline))


def as_text(timeline: Timeline) -> str:
    """A line for each thing that happened, then one for each instance's phases."""
    lines = [
        f"{clock(said.one.at)}  {said.one.instance_id or 'lab':19}  {said}"
        for said in collapsed(timeline.events)
    ]
    if not lines:
        lines = ["nothing has happened since"]
    lines.append("")
    for row in timeline.rows:
        if row.instance_id is not None and row.bars:
            phases = [
                bar.phase
                if bar.phase == "gone"
                else f"{bar.phase} {age((bar.ends or timeline.ends) - bar.begins)}"
                for bar in row.bars
            ]
            lines.append(f"{row.instance_id:19}  {', '.join(phases)}")
    return "\n".join(lines)


def age(seconds: float) -> str:
    """A duration, as a person says it."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _enter(row: Row, one: TimelineEvent) -> None:
    if one.group is not None:
        row.group = one.group
    phase = one.phase
    if row.group == "hub" and one.text == "its agent is online":
        phase = "open"
    now = row.bars[-1].phase if row.bars else None
    if phase is not None and phase != now and not (now in _OUT and phase != "gone"):
        if row.bars:
            row.bars[-1] = Bar(row.bars[-1].phase, row.bars[-1].begins, one.at)
        row.bars.append(Bar(phase, one.at, None))
    if one.execution is not None and one.machine is not None:
        _run(row, one, one.machine, one.execution)
    if one.kind in ("notice", "failure") and one.execution is None:
        row.marks.append(one)


def _run(row: Row, one: TimelineEvent, machine: str, execution: str) -> None:
    if one.status is None:
        row.runs.append(Run(machine, execution, one.at))
        return
    for place, run in enumerate(row.runs):
        if run.execution == execution and run.status is None:
            row.runs[place] = Run(machine, execution, run.begins, one.at, one.status)


def _from(row: Row, begins: float) -> Row:
    """The row without what was over at `begins`; an instance that was gone by then has nothing."""

    def lasts(ends: float | None) -> bool:
        return ends is None or ends > begins

    bars = [
        Bar(bar.phase, max(bar.begins, begins), bar.ends) for bar in row.bars if lasts(bar.ends)
    ]
    runs = [
        Run(run.machine, run.execution, max(run.begins, begins), run.ends, run.status)
        for run in row.runs
        if lasts(run.ends)
    ]
    if [bar.phase for bar in bars] == ["gone"] and row.bars[-1].begins < begins:
        bars = []
    return Row(
        row.instance_id, row.group, bars, runs, [mark for mark in row.marks if mark.at >= begins]
    )


def _first(row: Row) -> float:
    return min(
        [
            *(bar.begins for bar in row.bars),
            *(run.begins for run in row.runs),
            *(mark.at for mark in row.marks),
        ]
    )


def _short(one: TimelineEvent) -> dict[str, Any]:
    return {
        "at": one.at,
        "instance_id": one.instance_id,
        "kind": one.kind,
        "what": one.text,
        "phase": one.phase,
    }
