"""The plan and the app's functions decide alike: the same code, the same class, both clocks."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from unittest import mock

import pytest
from tests.simulation.simulation import CLUSTER, Simulation
from tests.simulation.virtual_time import START

import labswarm.lab_hours.decide
from labswarm.cluster import Cluster
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.demand import Decision, Situation, decide
from labswarm.planning.cluster import Kind, Limits, PlannedCluster
from labswarm.planning.distributions import Distributions, always
from labswarm.planning.policy import LabHoursPolicy
from labswarm.planning.students import Student
from labswarm.planning.world import World

PARAMETER = f"/labswarm/clusters/{CLUSTER}"
TIMETABLE = f"/labswarm/timetables/{CLUSTER}"
FEED = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Physics
DESCRIPTION:seats: 12
DTSTART:20270115T081500Z
DTEND:20270115T084500Z
END:VEVENT
END:VCALENDAR
"""
LAB = Booking("Physics", START + 900, START + 2700, 12)
UNTIL_S = 3600


@dataclass(frozen=True)
class Made:
    """A decision as both sides show it: when, the wanted numbers, and how many nodes change."""

    at: float
    seats: int | None
    nodes: int | None
    desired: int | None
    activate: int
    pause: int
    terminate: int


@contextmanager
def recorded(rule: Callable[[Situation], Decision] = decide) -> Iterator[list[Made]]:
    """Record each decision of lab hours, whichever side asks for it."""
    made: list[Made] = []

    def record(situation: Situation) -> Decision:
        decision = rule(situation)
        made.append(
            Made(
                situation.now - START,
                decision.seats,
                decision.nodes,
                decision.desired,
                len(decision.activate),
                len(decision.pause),
                len(decision.terminate),
            )
        )
        return decision

    with mock.patch.object(labswarm.lab_hours.decide, "decide", record):
        yield made


def students(count: int, first_s: float, every_s: float) -> list[Student]:
    """Students who come one after the other, and leave so half an hour later."""
    times = [START + first_s + number * every_s for number in range(count)]
    return [Student(0, at, at + 1800, at + 1800) for at in times]


def by_the_app(
    come: list[Student], feed: str | None, until_s: float = UNTIL_S
) -> tuple[Cluster, float]:
    """Let the app's functions and machines handle the class; return the cluster's description and
    how long a node took to start."""
    with Simulation(1, ticks=True, unordered=False) as app:
        described = json.loads(app.ssm.parameters[PARAMETER])
        if feed:
            app.ssm.parameters[TIMETABLE] = feed
            described["timetable"] = f"ssm:{TIMETABLE}"
            app.ssm.parameters[PARAMETER] = json.dumps(described)
        for number, student in enumerate(come):
            sit, leave = (
                partial(act, f"s{number}") for act in (app.classroom.sit, app.classroom.leave)
            )
            app.time.spawn(sit, "sit", student.arrives - START)
            app.time.spawn(leave, "leave", student.stops - START)
        app.time.run(until_s)
        assert app.dead_letters == []
        return Cluster.parse(json.dumps(described)), max(app.durations_s(CLUSTER), default=0)


def by_the_plan(
    come: list[Student],
    cluster: Cluster,
    start_s: float,
    bookings: list[Booking],
    until_s: float = UNTIL_S,
    decision_s: float = 0,
) -> World:
    """Let the plan's simulation handle the same class; a student in line is seen `decision_s`
    later."""
    planned = PlannedCluster(
        cluster,
        Kind("simulated", 2, 3),
        most=50,
        had_nodes=False,
        limits=Limits(hub_starts_per_s=1000),
    )
    world = World(
        planned,
        Distributions(
            always(start_s), spawn=always(0), decision=always(decision_s), node_end=always(30)
        ),
        LabHoursPolicy(planned, bookings),
        seed=1,
        begins=START + 60,
    )
    world.run(come, START + until_s)
    return world


def acted(made: list[Made]) -> list[Made]:
    """The decisions that change something, each once: the app decides twice when it has read a
    timetable."""
    acting = [one for one in made if one.desired is not None or one.pause or one.terminate]
    return [one for number, one in enumerate(acting) if one not in acting[:number]]


def test_a_booked_class_is_decided_alike_minute_by_minute() -> None:
    come = students(12, first_s=905, every_s=10)
    with recorded() as app:
        cluster, start_s = by_the_app(come, FEED)
    with recorded() as plan:
        by_the_plan(come, cluster, start_s, [LAB])

    # Where the app decides twice in a minute, the first decision is the one that acts.
    minutes = [{one.at: one for one in reversed(made)} for made in (app, plan)]
    assert len(minutes[0]) == UNTIL_S / 60
    assert minutes[1] == minutes[0]
    asked = [(one.at, one.desired) for one in acted(plan) if one.desired]
    assert asked == [(300, 1), (420, 4)], "one node says how many seats it has, then all start"
    assert sum(one.terminate for one in acted(plan)) == 4


def test_an_unbooked_class_is_decided_alike() -> None:
    come = students(20, first_s=301, every_s=7)
    with recorded() as app:
        cluster, start_s = by_the_app(come, None)
    with recorded() as plan:
        # The app reads a snapshot of some seconds before.
        by_the_plan(come, cluster, start_s, [], decision_s=7)

    def changes(made: list[Made]) -> list[tuple[int | None, int, int]]:
        return [(one.desired, one.pause, one.terminate) for one in acted(made)]

    assert len(acted(app)) > 3
    assert changes(plan) == changes(app)


@pytest.mark.parametrize("side", ["app", "plan"])
def test_another_rule_changes_both_sides(side: str) -> None:
    """Neither side has a rule of its own."""

    def one_more(situation: Situation) -> Decision:
        return replace(decide(situation), desired=situation.group.desired + 1)

    with Simulation(1) as app:
        cluster = Cluster.parse(app.ssm.parameters[PARAMETER])
    with recorded(one_more) as made:
        if side == "app":
            by_the_app([], None, until_s=240)
        else:
            by_the_plan([], cluster, 79, [], until_s=240)

    assert [one.desired for one in made] == [1, 2, 3, 4]
