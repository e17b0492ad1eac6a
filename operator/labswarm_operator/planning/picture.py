"""Draw an answer: plain SVG, students and nodes over time, to be read at 900 pixels."""

from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape

from labswarm.planning.answer import Answer
from labswarm.planning.world import Sample
from labswarm_operator.planning.text import clock, when

WIDTH, HEIGHT = 900, 470
_LEFT, _RIGHT = 56, 20
_TITLE = 56
"""The height of the title."""
_PANELS = {"students": (84, 236), "nodes": (286, 408)}
"""Top and bottom of each panel."""
# Okabe and Ito's colours, which everyone can distinguish: https://jfly.uni-koeln.de/color/
VERDICTS = {"yes": "#00724f", "late": "#8a5a00", "no": "#b2182b"}
_SERVERS, _WAITING = "#56b4e9", "#b2182b"
_OPEN, _PAUSED, _STARTING = "#009e73", "#e69f00", "#c9c9c9"
_INK, _GREY = "#222", "#555"
_TICKS_S = (300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800)
_MOST_TICKS = 9
_MOST_POINTS = 400
_LETTERS = 104

Place = Callable[[float], float]


def picture(answer: Answer, *, titled: bool = True) -> str:
    """Return the answer as an SVG document; without its title for a page that has one."""
    samples = thinned(_shown(answer))
    begins, ends = samples[0].at, max(samples[-1].at, samples[0].at + 60)

    def x(at: float) -> float:
        share = (min(max(at, begins), ends) - begins) / (ends - begins)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    parts = [
        _text(12, 26, _cut(answer.headline), size=15, weight="bold", fill=VERDICTS[answer.verdict]),
        _text(12, 46, _cut(_summary(answer)), size=11, fill=_GREY),
        *_labs(answer, x),
        *_axis(begins, ends, x),
        *_students(samples, x),
        *_nodes(samples, answer, x),
        *_legend(),
    ]
    top = 0 if titled else _TITLE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT - top}"'
            f' viewBox="0 {top} {WIDTH} {HEIGHT - top}" role="img"'
            ' font-family="DejaVu Sans, Verdana, sans-serif">',
            f"<title>{escape(answer.headline)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def thinned(samples: Sequence[Sample]) -> list[Sample]:
    """Return at most 400 of the samples: of each stretch the one with the most waiting students and
    starting nodes, so that no peak is lost."""
    size = max(1, -(-len(samples) // _MOST_POINTS))
    stretches = [samples[at : at + size] for at in range(0, len(samples), size)]
    chosen = [
        max(stretch, key=lambda s: (s.waiting, s.starting, s.servers)) for stretch in stretches
    ]
    return [*chosen, samples[-1]]


def _shown(answer: Answer) -> Sequence[Sample]:
    """The samples from shortly before the first change on."""
    first = next(
        (at for at, s in enumerate(answer.samples) if s.starting or s.open or s.waiting), 0
    )
    return answer.samples[max(0, first - 10) :]


def _summary(answer: Answer) -> str:
    labs = answer.labs
    what = when(labs[0].starts, labs[0].ends) if len(labs) == 1 else f"{len(labs)} labs"
    asked = f", nodes from {clock(answer.asked_from)}" if answer.asked_from else ""
    cost = f", ${answer.cost.usd:.2f}" if answer.cost.usd is not None else ""
    return (
        f"{answer.cluster}: {what}, uses up to {answer.nodes} nodes of {answer.seats_per_node} "
        f"seats{asked}{cost}"
    )


def _labs(answer: Answer, x: Place) -> Iterator[str]:
    top, bottom = _PANELS["students"][0], _PANELS["nodes"][1]
    for lab in answer.labs:
        left, right = x(lab.starts), x(lab.ends)
        title = f"{lab.name}, {when(lab.starts, lab.ends)}, {lab.students} students"
        yield (
            f'<rect x="{left:.1f}" y="{top}" width="{max(1.0, right - left):.1f}"'
            f' height="{bottom - top}" fill="#f3f3f3"><title>{escape(title)}</title></rect>'
        )
        if right - left > 7 * len(lab.name):
            yield _text(left + 4, _PANELS["students"][1] + 14, lab.name, size=10, fill=_GREY)


def _axis(begins: float, ends: float, x: Place) -> Iterator[str]:
    step = next((s for s in _TICKS_S if (ends - begins) / s <= _MOST_TICKS), _TICKS_S[-1])
    at = -(-begins // step) * step
    bottom = _PANELS["nodes"][1]
    while at <= ends:
        yield (
            f'<line x1="{x(at):.1f}" y1="{_PANELS["students"][0]}" x2="{x(at):.1f}" y2="{bottom}"'
            ' stroke="#ddd"/>'
        )
        yield _text(x(at), bottom + 16, clock(at), size=10, anchor="middle", fill=_GREY)
        at += step


def _students(samples: Sequence[Sample], x: Place) -> Iterator[str]:
    most = max([1, *(s.servers + s.waiting for s in samples)])
    yield from _panel("students", "Students", most)
    y = _scale("students", most)
    yield _area(samples, lambda _: 0, lambda s: s.servers, x, y, _SERVERS)
    yield _area(samples, lambda s: s.servers, lambda s: s.servers + s.waiting, x, y, _WAITING)


def _nodes(samples: Sequence[Sample], answer: Answer, x: Place) -> Iterator[str]:
    most = max(1, answer.nodes)
    yield from _panel("nodes", "Nodes", most)
    y = _scale("nodes", most)
    yield _area(samples, lambda _: 0, lambda s: s.open, x, y, _OPEN)
    yield _area(samples, lambda s: s.open, lambda s: s.open + s.paused, x, y, _PAUSED)
    yield _area(
        samples, lambda s: s.open + s.paused, lambda s: s.open + s.paused + s.starting, x, y,
        _STARTING,
    )  # fmt: skip


def _panel(name: str, title: str, most: int) -> Iterator[str]:
    top, bottom = _PANELS[name]
    yield _text(12, top - 8, title, size=11, weight="bold")
    yield (f'<line x1="{_LEFT}" y1="{bottom}" x2="{WIDTH - _RIGHT}" y2="{bottom}" stroke="#888"/>')
    y = _scale(name, most)
    for value in sorted({most, most // 2} - {0}):
        yield _text(_LEFT - 6, y(value) + 4, str(value), size=10, anchor="end", fill=_GREY)
        yield (
            f'<line x1="{_LEFT}" y1="{y(value):.1f}" x2="{WIDTH - _RIGHT}" y2="{y(value):.1f}"'
            ' stroke="#ddd" stroke-dasharray="2 3"/>'
        )


def _scale(name: str, most: int) -> Place:
    top, bottom = _PANELS[name]
    return lambda value: bottom - value / most * (bottom - top)


def _area(
    samples: Sequence[Sample],
    low: Callable[[Sample], float],
    high: Callable[[Sample], float],
    x: Place,
    y: Place,
    fill: str,
) -> str:
    """An area between two counts, in steps: a count holds until the next sample."""
    upper, lower = [], []
    for sample, following in zip(samples, [*samples[1:], samples[-1]], strict=True):
        for at in (sample.at, following.at):
            upper.append(f"{x(at):.1f},{y(high(sample)):.1f}")
            lower.append(f"{x(at):.1f},{y(low(sample)):.1f}")
    return f'<polygon points="{" ".join(upper + lower[::-1])}" fill="{fill}"/>'


def _legend() -> Iterator[str]:
    x, y = float(_LEFT), HEIGHT - 22
    for fill, name in (
        (_SERVERS, "with a server"),
        (_WAITING, "waiting"),
        (_OPEN, "open node"),
        (_PAUSED, "paused node"),
        (_STARTING, "starting node"),
    ):
        yield f'<rect x="{x:.0f}" y="{y}" width="14" height="11" fill="{fill}"/>'
        yield _text(x + 19, y + 10, name, size=10)
        x += 52 + 6.2 * len(name)


def _cut(text: str) -> str:
    """A line that stays in the picture; the page and the command show it whole."""
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"


def _text(
    x: float,
    y: float,
    content: str,
    *,
    size: int,
    anchor: str = "start",
    fill: str = _INK,
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"'
        f' font-weight="{weight}">{escape(content)}</text>'
    )
