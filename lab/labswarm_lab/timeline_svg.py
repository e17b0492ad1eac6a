"""A timeline as a picture: plain SVG, one row an instance, to be read at 1000 pixels."""

from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from labswarm_lab.collapsed import clock
from labswarm_lab.timeline import Bar, Row, Run, Timeline, age
from labswarm_lab.timeline_events import TimelineEvent

WIDTH = 1000
_LEFT, _RIGHT, _TOP = 176, 16, 64
_BAR, _LANE, _GAP = 18, 13, 12
_LETTER = 6.2  # of 10 px text, and wide: a label must never leave its place
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_MOST_TICKS = 9
# Okabe and Ito's colours, which everyone can distinguish: https://jfly.uni-koeln.de/color/
_PHASES = {
    "launched": ("#d9d9d9", "#222"),
    "waiting": ("#f0e442", "#222"),
    "joined": ("#56b4e9", "#222"),
    "open": ("#009e73", "#fff"),
    "paused": ("#e69f00", "#222"),
    "leaving": ("#cc79a7", "#222"),
    "gone": ("#bbbbbb", "#222"),
}
_RUN, _FAILED, _NOTICE = "#0072b2", "#b2182b", "#222"


def picture(timeline: Timeline) -> str:
    """The timeline as an SVG document."""
    scale = _Scale(timeline.begins, timeline.ends)
    parts: list[str] = []
    y = float(_TOP)
    for row in timeline.rows:
        drawn, height = _row(row, y, scale)
        parts.extend(drawn)
        y += height + _GAP
    bottom = y
    date = datetime.fromtimestamp(timeline.begins).strftime("%d %b %Y")
    begins, ends = timeline.begins, timeline.ends
    span = f"{clock(begins)} to {clock(ends)} ({age(ends - begins)})"
    head = [
        _text(12, 22, f"lab {timeline.lab}, {date}, {span}", size=14, weight="bold"),
        *_axis(scale, bottom),
    ]
    legend, height = _legend(bottom + 18)
    total = bottom + 18 + height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{total}"'
            f' viewBox="0 0 {WIDTH} {total}" font-family="DejaVu Sans, Verdana, sans-serif">',
            f"<title>{escape(f'lab {timeline.lab}: what happened')}</title>",
            f'<rect width="{WIDTH}" height="{total}" fill="#fff"/>',
            *head,
            *parts,
            *legend,
            "</svg>\n",
        ]
    )


class _Scale:
    """Times to places across the picture."""

    def __init__(self, begins: float, ends: float) -> None:
        self.begins, self.ends = begins, max(ends, begins + 1)

    def x(self, at: float) -> float:
        share = (at - self.begins) / (self.ends - self.begins)
        return _LEFT + min(1.0, max(0.0, share)) * (WIDTH - _LEFT - _RIGHT)

    def ticks(self) -> list[float]:
        span = self.ends - self.begins
        step = next((s for s in _TICKS_S if span / s <= _MOST_TICKS), _TICKS_S[-1])
        first = -(-self.begins // step) * step
        return [first + step * n for n in range(int((self.ends - first) // step) + 1)]


def _axis(scale: _Scale, bottom: float) -> list[str]:
    lines = []
    for at in scale.ticks():
        x = scale.x(at)
        lines.append(
            f'<line x1="{x:.1f}" y1="{_TOP - 12}" x2="{x:.1f}" y2="{bottom - _GAP / 2:.1f}"'
            ' stroke="#e4e4e4"/>'
        )
        lines.append(_text(x, _TOP - 18, clock(at), size=10, anchor="middle", fill="#555"))
    return lines


def _row(row: Row, y: float, scale: _Scale) -> tuple[list[str], float]:
    lanes = _lanes(row.runs, scale)
    bars_high = _BAR if row.instance_id else 10
    name = row.instance_id or "the lab"
    parts = [_text(12, y + 13, name, size=11, family="DejaVu Sans Mono, monospace")]
    if row.group:
        parts.append(_text(12, y + 26, row.group, size=9, fill="#666"))
    for bar in row.bars:
        parts.extend(_bar(bar, y, scale))
    for n, lane in enumerate(lanes):
        parts.extend(_lane(lane, y + bars_high + 3 + n * _LANE, scale))
    for mark in row.marks:
        parts.append(_mark(mark, y + (bars_high / 2 if row.instance_id else 4), scale))
    return parts, max(bars_high + 3 + len(lanes) * _LANE, 28)


def _bar(bar: Bar, y: float, scale: _Scale) -> list[str]:
    ends = scale.ends if bar.ends is None else bar.ends
    left, right = scale.x(bar.begins), scale.x(ends)
    fill, ink = _PHASES[bar.phase]
    title = f"{bar.phase} from {clock(bar.begins)} to {clock(ends)} ({age(ends - bar.begins)})"
    if bar.phase == "gone":
        middle = y + _BAR / 2
        return [
            f'<line x1="{left:.1f}" y1="{middle}" x2="{right:.1f}" y2="{middle}" stroke="{fill}"'
            f' stroke-dasharray="2 3"><title>gone since {clock(bar.begins)}</title></line>'
        ]
    width = max(1.0, right - left)
    parts = [
        f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{fill}">'
        f"<title>{title}</title></rect>"
    ]
    if width > len(bar.phase) * _LETTER + 8:
        parts.append(_text(left + 4, y + 13, bar.phase, size=10, fill=ink))
    return parts


def _lanes(runs: Sequence[Run], scale: _Scale) -> list[list[Run]]:
    """The executions in as few lanes as have none over another, nor over another's name."""
    lanes: list[tuple[float, list[Run]]] = []
    for run in sorted(runs, key=lambda run: run.begins):
        left, right = scale.x(run.begins), _right_of(run, scale)
        for place, (free_from, lane) in enumerate(lanes):
            if left >= free_from:
                lane.append(run)
                lanes[place] = (right, lane)
                break
        else:
            lanes.append((right, [run]))
    return [lane for _, lane in lanes]


def _right_of(run: Run, scale: _Scale) -> float:
    """Where an execution's place ends: its bar, with its name next to it."""
    ends = scale.x(scale.ends if run.ends is None else run.ends)
    name = len(run.machine) * _LETTER * 0.9 + 8
    # At the right edge the name is before the bar.
    return ends + name if ends + name <= WIDTH else ends


def _lane(runs: Sequence[Run], y: float, scale: _Scale) -> list[str]:
    parts = []
    for run in runs:
        left = scale.x(run.begins)
        right = max(left + 2, scale.x(scale.ends if run.ends is None else run.ends))
        failed = run.status not in (None, "SUCCEEDED")
        fill = _FAILED if failed else _RUN
        status = (run.status or "running").lower()
        title = f"{run.machine} {status}, from {clock(run.begins)}"
        parts.append(
            f'<rect x="{left:.1f}" y="{y + 3}" width="{right - left:.1f}" height="5" rx="2"'
            f' fill="{fill}" opacity="{1 if run.status else 0.5}">'
            f"<title>{escape(title)}</title></rect>"
        )
        name = run.machine + (f" {status}" if failed else "")
        inside = right + len(name) * _LETTER * 0.9 + 8 <= WIDTH
        x, anchor = (right + 3, "start") if inside else (left - 3, "end")
        parts.append(_text(x, y + 9, name, size=9, anchor=anchor, fill=fill))
    return parts


def _mark(mark: TimelineEvent, y: float, scale: _Scale) -> str:
    x = scale.x(mark.at)
    title = f"<title>{escape(f'{clock(mark.at)} {mark.text}')}</title>"
    if mark.kind == "failure":
        return (
            f'<path d="M{x - 4:.1f} {y - 4}l8 8m0 -8l-8 8" stroke="{_FAILED}" stroke-width="2.5"'
            f' fill="none">{title}</path>'
        )
    return (
        f'<path d="M{x:.1f} {y - 7}l6 7l-6 7l-6 -7z" fill="{_NOTICE}" stroke="#fff">{title}</path>'
    )


def _legend(y: float) -> tuple[list[str], float]:
    parts, x = [], 12.0
    for phase, (fill, _) in _PHASES.items():
        parts.append(f'<rect x="{x}" y="{y}" width="14" height="11" fill="{fill}"/>')
        parts.append(_text(x + 19, y + 10, phase, size=10))
        x += 34 + len(phase) * _LETTER + 6
    parts.append(f'<rect x="{x}" y="{y + 3}" width="14" height="5" rx="2" fill="{_RUN}"/>')
    parts.append(_text(x + 19, y + 10, "execution", size=10))
    x += 96
    parts.append(f'<path d="M{x + 7} {y - 1}l6 7l-6 7l-6 -7z" fill="{_NOTICE}" stroke="#fff"/>')
    parts.append(_text(x + 18, y + 10, "notice", size=10))
    x += 72
    parts.append(
        f'<path d="M{x + 3} {y + 2}l8 8m0 -8l-8 8" stroke="{_FAILED}" stroke-width="2.5"/>'
    )
    parts.append(_text(x + 18, y + 10, "failure", size=10))
    return parts, 26


def _text(
    x: float,
    y: float,
    content: str,
    *,
    size: int,
    anchor: str = "start",
    fill: str = "#222",
    weight: str = "normal",
    family: str = "",
) -> str:
    font = f' font-family="{family}"' if family else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"'
        f' font-weight="{weight}"{font}>{escape(content)}</text>'
    )
