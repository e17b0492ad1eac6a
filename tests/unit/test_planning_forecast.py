"""The plan's forecast against the whole app in virtual time: nodes, node hours and waits of three
classes of 40."""

import json
from dataclasses import dataclass, field

import pytest
from tests.simulation.simulation import CLUSTER, Simulation
from tests.simulation.virtual_time import START

from labswarm.cluster import Cluster
from labswarm.lab_hours.booking import Booking
from labswarm.planning.answer import percentile
from labswarm.planning.cluster import Kind, Limits, PlannedCluster
from labswarm.planning.costs import paid_hours
from labswarm.planning.distributions import Distributions, always
from labswarm.planning.policy import LabHoursPolicy
from labswarm.planning.students import Student
from labswarm.planning.world import World

STUDENTS, UNTIL_S = 40, 3600.0
BEGINS_S, LOOK_S = 900.0, 5.0
PARAMETER = f"/labswarm/clusters/{CLUSTER}"
TIMETABLE = f"/labswarm/timetables/{CLUSTER}"
FEED = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Physics
DESCRIPTION:seats: 40
DTSTART:20270115T081500Z
DTEND:20270115T084500Z
END:VEVENT
END:VCALENDAR
"""
# The lab's hub looks at its line every 10 s (tests.simulation.classroom), the plan's at once.
HUB_LOOKS_S = 10.0
CLASSES = {
    "booked, within 5 minutes": (True, 7.5),
    "not booked, within 10 minutes": (False, 15.0),
    "not booked, within a minute": (False, 1.5),
}


@dataclass
class Seen:
    """A class as one side had it: its most nodes, their hours, and the waits for a seat."""

    nodes: int = 0
    node_hours: float = 0.0
    waits_s: list[float] = field(default_factory=list)


def come(every_s: float) -> list[Student]:
    times = [START + BEGINS_S + 5 + number * every_s for number in range(STUDENTS)]
    return [Student(0, at, at + 1500, at + 1500) for at in times]


def app(students: list[Student], *, booked: bool) -> tuple[Seen, Cluster, float]:
    """Let the app's functions, machines and tools handle the class."""
    seen = Seen()
    with Simulation(1, ticks=True) as simulation:
        described = json.loads(simulation.ssm.parameters[PARAMETER])
        if booked:
            simulation.ssm.parameters[TIMETABLE] = FEED
            described["timetable"] = f"ssm:{TIMETABLE}"
            simulation.ssm.parameters[PARAMETER] = json.dumps(described)

        def attend(name: str, student: Student) -> None:
            simulation.classroom.sit(name)
            while simulation.classroom.worker_of(name) is None:
                simulation.time.sleep(1)
            seen.waits_s.append(simulation.time.now() - student.arrives)
            simulation.time.sleep(student.stops - simulation.time.now())
            simulation.classroom.leave(name)

        def look() -> None:
            while True:
                simulation.time.sleep(LOOK_S)
                count = len(simulation.group.instances)
                seen.nodes = max(seen.nodes, count)
                seen.node_hours += count * LOOK_S / 3600

        # The classroom's line goes by name.
        for name, student in zip(sorted(f"s{n}" for n in range(STUDENTS)), students, strict=True):
            simulation.time.spawn(
                lambda name=name, student=student: attend(name, student),  # type: ignore[misc]
                "student",
                student.arrives - START,
            )
        simulation.time.spawn(look, "look")
        simulation.time.run(UNTIL_S)
        start_s = percentile(simulation.durations_s(CLUSTER), 0.5)
    return seen, Cluster.parse(json.dumps(described)), start_s


def forecast(students: list[Student], cluster: Cluster, start_s: float, *, booked: bool) -> Seen:
    """Let the plan's simulation handle the same class."""
    planned = PlannedCluster(
        cluster, Kind("", 2, 3), most=50, had_nodes=False, limits=Limits(hub_starts_per_s=1000)
    )
    lab = Booking("Physics", START + BEGINS_S, START + BEGINS_S + 1800, STUDENTS)
    world = World(
        planned,
        Distributions(always(start_s), spawn=always(0), decision=always(2), node_end=always(30)),
        LabHoursPolicy(planned, [lab] if booked else []),
        seed=1,
        begins=START + 60,
    )
    world.run(students, START + UNTIL_S)
    return Seen(
        nodes=max(sample.starting + sample.open + sample.paused for sample in world.samples),
        node_hours=sum(paid_hours(node, world.now) for node in world.nodes.values()),
        waits_s=[server.wait_s for server in world.servers if server.wait_s is not None],
    )


@pytest.mark.parametrize("name", CLASSES)
def test_the_forecast_of_a_class_is_near_to_the_class(name: str) -> None:
    booked, every_s = CLASSES[name]
    students = come(every_s)
    real, cluster, start_s = app(students, booked=booked)
    plan = forecast(students, cluster, start_s, booked=booked)
    p95 = [percentile(seen.waits_s, 0.95) for seen in (real, plan)]

    assert len(real.waits_s) == len(plan.waits_s) == STUDENTS
    assert plan.nodes == real.nodes
    assert plan.node_hours == pytest.approx(real.node_hours, rel=0.05)
    assert p95[1] == pytest.approx(p95[0], rel=0.3, abs=HUB_LOOKS_S)
