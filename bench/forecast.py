"""How far off a plan is: the forecast of a class, and then the class itself on a lab.

Brings a lab of simulated nodes up with AWS's latencies, measures the starts of its nodes, plans a
class of 40, and lets 40 simulated students come: the app's own functions and machines size the
cluster for them. Prints nodes, seat-hours and waits of both, and exits with 1 when nodes or
seat-hours differ by more than 15 %, or the wait of 95 of 100 by more than 30 %. A class takes some
twelve minutes. Run it: python -m bench.forecast --class booked
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.conftest import LabUnderTest

from labswarm.aws.dynamodb.launches import DynamoLaunches
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.lab_hours.booking import Booking
from labswarm.planning.answer import Use, Waits
from labswarm.planning.distributions import Distributions
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals, Lab, students_of
from labswarm.readiness.planned import distributions
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.simulated import swarm_seen
from labswarm_lab.nodes.simulated_students import seat_students
from labswarm_operator.planning.history import LEDGER
from labswarm_operator.planning.reading import Account, Sizes, read_account

STUDENTS = 40
LASTS_S = 300
LAUNCHES = 6
"""Nodes that start before the class, so that their times are known."""
LEAD_S = 200
"""From the plan to the class (seconds): longer than a start and two decisions."""
LOOK_S = 1.0
SEED = 20
NEAR, NEAR_WAIT = 0.15, 0.30
FEED = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Physics
DESCRIPTION:seats: {seats}
DTSTART:{starts:%Y%m%dT%H%M%SZ}
DTEND:{ends:%Y%m%dT%H%M%SZ}
END:VEVENT
END:VCALENDAR
"""


@dataclass(frozen=True)
class Class:
    """How many seats are booked, and within how many seconds the students come."""

    seats: int
    within_s: float


CLASSES = {
    "booked": Class(STUDENTS, 120),
    "unbooked": Class(0, 180),
    "half": Class(STUDENTS // 2, 150),
}


@dataclass
class Seen:
    """A class as it was: samples of nodes and servers, and each student's wait (seconds)."""

    samples: list[tuple[float, int, int]] = field(default_factory=list)
    waits_s: dict[str, float] = field(default_factory=dict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default=f"fc{os.getpid()}"[:12])
    parser.add_argument("--class", dest="which", choices=sorted(CLASSES), default="booked")
    options = parser.parse_args()
    chosen, lab = CLASSES[options.which], LabUnderTest(options.name)
    try:
        lab.must("up", "--workers", "0", "--simulated", "--latency", "aws")
        _measure_starts(lab)
        starts = float(int(time.time()) + LEAD_S)
        booked = Booking("Physics", starts, starts + LASTS_S, chosen.seats or STUDENTS)
        timetable = [Lab(booked, STUDENTS, booked=chosen.seats > 0)]
        arrivals = Arrivals(within_s=chosen.within_s)
        account = read_account(lab.client, options.name, Sizes())
        times = distributions(account.cluster, _starts_s(lab), 0)
        print("starts:", *_starts_s(lab), flush=True)
        if chosen.seats:
            _book(lab, chosen.seats, starts)
        answer = plan(timetable, account.cluster, arrivals, times, SEED, time.time())
        forecast = Use.of(
            [(s.at, s.starting + s.open + s.paused, s.servers) for s in answer.samples],
            starts,
            starts + LASTS_S,
        )
        seen = _attend(lab, timetable, arrivals, account, times)
    finally:
        lab.must("down", "--homes")
    use = Use.of(seen.samples, starts, starts + LASTS_S)
    return _compared(options.which, (forecast, answer.waits), (use, _waits(seen)))


def _measure_starts(lab: LabUnderTest) -> None:
    """Start nodes and end them, and let lab hours read their times with the next decision."""
    lab.must("scale", str(LAUNCHES))
    lab.must("scale", "0")
    lab.must("scale", "auto")
    states = DynamoLabHoursStates(lab.client("dynamodb"), TABLE)
    states.write_state(lab.name, replace(states.read_state(lab.name), measured_at=0))


def _starts_s(lab: LabUnderTest) -> Sequence[float]:
    return DynamoLaunches(lab.client("dynamodb"), LEDGER).durations_s(lab.name)


def _book(lab: LabUnderTest, seats: int, starts: float) -> None:
    first, last = (datetime.fromtimestamp(at, UTC) for at in (starts, starts + LASTS_S))
    with TemporaryDirectory() as folder:
        file = Path(folder, "labs.ics")
        file.write_text(FEED.format(seats=seats, starts=first, ends=last))
        lab.must("timetable", str(file))


def _attend(
    lab: LabUnderTest,
    timetable: Sequence[Lab],
    arrivals: Arrivals,
    account: Account,
    times: Distributions,
) -> Seen:
    """Let the students come, seat them as the hub does, and look until the class is over."""
    place = Place.of(lab.name)
    settings, each = NodesSettings.read(place), account.cluster.kind.seats
    chance = random.Random(SEED + 1)  # noqa: S311  # a class to be had again, no secret
    coming = [student.arrives for student in students_of(timetable, arrivals, chance)]
    arrives = {f"student-{number:02}": at for number, at in enumerate(sorted(coming), 1)}
    autoscaling, seen = lab.client("autoscaling"), Seen()
    seats: dict[str, str | None] = {}
    ready_at: dict[str, float] = {}
    ends = timetable[0].booking.ends
    while (now := time.time()) < ends:
        before = dict(seats)
        for student, at in arrives.items():
            if at <= now:
                seats.setdefault(student, None)
        nodes = [
            node.node_id
            for node in swarm_seen(settings).nodes()
            if (node.role, node.state, node.availability) == ("worker", "ready", "active")
        ]
        for student in [student for student, node in seats.items() if node is None]:
            taken = Counter(seats.values())
            # The fullest node first, as the hub packs them (labswarm_hub.tasks).
            free = [(-taken[node], node) for node in nodes if taken[node] < each]
            if free:
                seats[student] = min(free)[1]
                ready_at[student] = now + times.spawn.drawn(chance)
                seen.waits_s[student] = ready_at[student] - arrives[student]
        if seats != before:
            seat_students(place, seats)
        (group,) = autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[account.cluster.description.asg]
        )["AutoScalingGroups"]
        working = sum(node is not None for node in seats.values())
        seen.samples.append((now, len(group["Instances"]), working))
        time.sleep(LOOK_S)
    seat_students(place, {})
    return seen


def _waits(seen: Seen) -> Waits:
    return Waits.of(list(seen.waits_s.values()))


def _compared(which: str, forecast: tuple[Use, Waits], real: tuple[Use, Waits]) -> int:
    """Print both, and return 1 when they are further apart than promised."""
    rows = (
        ("nodes", forecast[0].nodes, real[0].nodes, NEAR),
        ("node hours", forecast[0].node_hours, real[0].node_hours, None),
        ("seat-hours", forecast[0].seat_hours, real[0].seat_hours, NEAR),
        ("p50 wait (s)", forecast[1].p50_s, real[1].p50_s, None),
        ("p95 wait (s)", forecast[1].p95_s, real[1].p95_s, NEAR_WAIT),
    )
    far = False
    print(f"{which}: forecast, then the class", flush=True)
    for name, planned, was, near in rows:
        off = planned / was - 1 if was else 0.0
        far |= near is not None and abs(off) > near
        print(f"  {name:<13} {planned:8.2f} {was:8.2f}  {off:+.0%}", flush=True)
    return int(far)


if __name__ == "__main__":
    sys.exit(main())
