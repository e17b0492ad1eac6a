"""`labswarm plan`: from options to an answer, and to the files that were asked for."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from labswarm.planning.answer import Answer, Replayed, Use
from labswarm.planning.cluster import PlannedCluster
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals, Lab
from labswarm.readiness.planned import distributions
from labswarm_operator.account import Clients
from labswarm_operator.planning import question
from labswarm_operator.planning.history import HISTORY, read_history
from labswarm_operator.planning.page import page
from labswarm_operator.planning.picture import picture
from labswarm_operator.planning.prices import node_prices
from labswarm_operator.planning.reading import Sizes, given, read_account
from labswarm_operator.planning.recording import read_recording
from labswarm_operator.refusal import Refusal

DAY_S = 86_400
ANYWHERE = "eu-west-1"
"""The region whose prices count where neither an account nor --region names one."""


@dataclass(frozen=True)
class Options:
    """The options of the command, as they were written."""

    cluster: str | None
    timetable: str | None
    students: int | None
    at: str | None
    lasts: str
    seats: int | None
    unbooked: bool
    arrive: str
    arrivals: Path | None
    replay: Path | None
    idle: str
    losses: float
    instance_type: str | None
    node_seats: int | None
    vcpus: int | None
    max_nodes: int | None
    headroom: int | None
    node_start: str | None
    limit: tuple[str, ...]
    region: str | None
    seed: int


def answered(
    clients: Clients, options: Options, now: float | None = None
) -> tuple[Answer, tuple[str, ...]]:
    """Return the answer, and the problems of the timetable's events that are left out.

    Raises Refusal for an option that cannot be used, and AWS's errors by kind.
    """
    now = time.time() if now is None else now
    if options.replay:
        return _replayed(clients, options, options.replay, now), ()
    arrivals = Arrivals(
        within_s=question.duration_s("--arrive", options.arrive),
        curve=question.recorded_arrivals(options.arrivals) if options.arrivals else (),
        idle_s=question.duration_s("--idle", options.idle),
    )
    asked = _asked_lab(options, now)
    cluster, labs, measured_s = _cluster(clients, options, now)
    problems: tuple[str, ...] = ()
    if options.timetable:
        text = question.feed_text(options.timetable)
        labs, problems = question.timetable_labs(text, cluster.description.name, now)
    if asked:
        labs = [*labs, asked]
    if not labs:
        raise Refusal("No lab is booked. Give --students and --at, or --timetable.")
    times = distributions(cluster, measured_s, options.losses / 100)
    return plan(labs, cluster, arrivals, times, options.seed, now), problems


def _replayed(clients: Clients, options: Options, file: Path, now: float) -> Answer:
    """The answer for a class that was, with its recorded waits, and the use that is recorded."""
    if options.students or options.timetable or options.arrivals:
        raise Refusal(
            "--replay: The recording has its own students; leave out --students, --timetable and "
            "--arrivals."
        )
    lasts_s = question.duration_s("--lasts", options.lasts)
    at = question.time_of("--at", options.at, 0) if options.at else None
    cluster, _, measured_s = _cluster(clients, options, now)
    use: Use | None = None
    if str(file) == HISTORY:
        if options.cluster is None or at is None:
            raise Refusal(
                f"--replay {HISTORY}: Give --cluster and the class's start, like "
                "--at 2026-11-24T14:00."
            )
        recording, use, of_then_s = read_history(clients, options.cluster, at, lasts_s)
        measured_s = of_then_s if of_then_s and options.node_start is None else measured_s
    else:
        recording = read_recording(file).within(at, lasts_s)
    starts = min(recording.arrived) if at is None else at
    count = len(recording.arrived)
    lab = question.one_lab(count, starts, lasts_s, options.seats, booked=not options.unbooked)
    arrivals = Arrivals(
        curve=recording.offsets_s(starts), idle_s=question.duration_s("--idle", options.idle)
    )
    times = distributions(cluster, measured_s, options.losses / 100)
    answer = plan([lab], cluster, arrivals, times, options.seed, starts - DAY_S)
    seen = [(s.at, s.starting + s.open + s.paused, s.servers) for s in answer.samples]
    replayed = Replayed(use, Use.of(seen, starts, starts + lasts_s)) if use else None
    return replace(answer, recorded=recording.waits, replayed=replayed)


def _asked_lab(options: Options, now: float) -> Lab | None:
    if options.students is None:
        return None
    if options.at is None:
        raise Refusal("--students: Give the lab's start too, like --at 2026-12-08T14:00.")
    return question.one_lab(
        options.students,
        question.time_of("--at", options.at, now),
        question.duration_s("--lasts", options.lasts),
        options.seats,
        booked=not options.unbooked,
    )


def _cluster(
    clients: Clients, options: Options, now: float
) -> tuple[PlannedCluster, list[Lab], tuple[float, ...]]:
    """The cluster, the labs of its own timetable, and its measured starts."""
    sizes = _sizes(options)
    region, labs, measured_s = options.region, list[Lab](), tuple[float, ...]()
    if options.cluster is None:
        cluster = given(sizes)
    else:
        account = read_account(clients, options.cluster, sizes)
        cluster, region = account.cluster, options.region or account.region
        labs = question.labs_of(account.state.labs, now)
        if options.node_start is None:
            measured_s = account.state.starts_s
    cluster = replace(cluster, limits=question.with_limits(cluster.limits, options.limit))
    return _priced(cluster, region, options), labs, measured_s


def _sizes(options: Options) -> Sizes:
    start_s = options.node_start and question.duration_s("--node-start", options.node_start, 7200)
    return Sizes(
        options.instance_type,
        options.node_seats,
        options.vcpus,
        options.max_nodes,
        start_s or None,
        options.headroom,
    )


def _priced(cluster: PlannedCluster, region: str | None, options: Options) -> PlannedCluster:
    """The cluster with its prices; without them where only the account names region and type."""
    if not cluster.kind.name:
        return cluster
    try:
        prices = node_prices(region or ANYWHERE, cluster.kind.name)
    except Refusal:
        if options.region or (options.instance_type and options.cluster is None):
            raise
        return cluster
    return replace(cluster, prices=prices)


def written(answer: Answer, files: dict[Callable[[Answer], bytes], Path | None]) -> Iterator[str]:
    """Write the files that were asked for, and yield a line for each. Raises Refusal."""
    for render, file in files.items():
        if file is not None:
            try:
                file.write_bytes(render(answer))
            except OSError as error:
                raise Refusal(
                    f"{file} cannot be written ({error.strerror}). "
                    "Choose a file in an existing folder."
                ) from error
            yield f"wrote {file}"


def as_json(answer: Answer) -> str:
    """Return the answer as one JSON object."""
    return json.dumps(answer.to_json())


def svg(answer: Answer) -> bytes:
    """Return the picture as SVG."""
    return picture(answer).encode()


def html(answer: Answer) -> bytes:
    """Return the page."""
    return page(answer).encode()


def png(answer: Answer) -> bytes:
    """Return the picture as PNG. Raises Refusal where the extra 'png' is not installed."""
    try:
        import resvg_py
    except ImportError as error:
        raise Refusal(
            "--png: It needs the extra 'png'. Run `pip install 'labswarm[png]'`, or give --svg."
        ) from error
    drawn: bytes = bytes(resvg_py.svg_to_bytes(svg_string=picture(answer)))
    return drawn
