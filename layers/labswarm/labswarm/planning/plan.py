"""Whether the labs of a timetable fit a cluster, from when nodes are asked for, and the cost."""

import random
from collections.abc import Sequence

from labswarm.lab_hours.demand import TICK_S, start_ahead_s
from labswarm.planning import limits
from labswarm.planning.answer import LATE_S, Answer, LabAnswer, Verdict, Waits
from labswarm.planning.cluster import PlannedCluster
from labswarm.planning.costs import Cost, cost, paid_hours, shares, worked_hours
from labswarm.planning.distributions import Distributions
from labswarm.planning.limits import Bound
from labswarm.planning.policy import LabHoursPolicy
from labswarm.planning.students import Arrivals, Lab, Student, students_of
from labswarm.planning.words import assumptions, headline, unknown_limits
from labswarm.planning.world import Policy, Server, World

LEAD_S = 3600
"""How long before the first lab the simulation begins (seconds)."""
AFTER_S = 1800
"""How long after the last student's server it ends: nodes empty and end (seconds)."""


def plan(
    timetable: Sequence[Lab],
    cluster: PlannedCluster,
    arrivals: Arrivals,
    distributions: Distributions,
    seed: int,
    now: float = 0,
) -> Answer:
    """Return the answer for these labs, at least one.

    `now` is the time of the question (epoch seconds): nothing is asked for before it. The same
    arguments give the same answer.
    """
    world = simulated(timetable, cluster, arrivals, distributions, seed, now)
    return _Answering(timetable, cluster, arrivals, distributions, seed, now, world).answer()


def simulated(
    timetable: Sequence[Lab],
    cluster: PlannedCluster,
    arrivals: Arrivals,
    distributions: Distributions,
    seed: int,
    now: float = 0,
    policy: Policy | None = None,
    tick_s: float = TICK_S,
) -> World:
    """Return the world after the last lab; another `policy` than lab hours decides every `tick_s`.

    A policy changes nothing about the students, nor about the durations that are drawn first.
    """
    chance = random.Random(seed)  # noqa: S311  # a simulation to be had again, no secret
    students = list(students_of(timetable, arrivals, chance))
    begins = max(now, min(lab.booking.starts for lab in timetable) - LEAD_S)
    if policy is None:
        policy = LabHoursPolicy(cluster, [lab.booking for lab in timetable if lab.booked])
    world = World(cluster, distributions, policy, seed, begins)
    ends = max([lab.booking.ends for lab in timetable] + [student.stops for student in students])
    world.run(students, ends + AFTER_S, tick_s)
    return world


class _Answering:
    """Reads the answer out of a world in which the labs are over."""

    def __init__(
        self,
        timetable: Sequence[Lab],
        cluster: PlannedCluster,
        arrivals: Arrivals,
        distributions: Distributions,
        seed: int,
        now: float,
        world: World,
    ) -> None:
        self._labs = timetable
        self._cluster = cluster
        self._arrivals = arrivals
        self._distributions = distributions
        self._seed = seed
        self._now = now
        self._world = world
        self._ahead_s = start_ahead_s(
            distributions.measured_starts_s,
            cluster.description.node_start_s,
            had_nodes=cluster.had_nodes,
        )
        self._peak = most_at_once([server.student for server in world.servers])
        self._bounds = limits.bounds(cluster, self._peak)
        self._waits = Waits.of(_waits_s(world.servers))
        self._served = sum(server.ready_at is not None for server in world.servers)

    def answer(self) -> Answer:
        world, verdict = self._world, self._verdict()
        limit = self._limit(verdict)
        fits = self._fits(limit)
        labs = self._lab_answers()
        return Answer(
            cluster=self._cluster.description.name,
            verdict=verdict,
            headline=headline(verdict, self._peak, fits, limit, self._waits, self._missed),
            students=self._peak,
            fits=fits,
            limit=limit,
            remedies=tuple(self._remedies(verdict, limit)),
            labs=tuple(labs),
            waits=self._waits,
            nodes=max(s.starting + s.open + s.paused for s in world.samples),
            seats_per_node=self._cluster.kind.seats,
            instance_type=self._cluster.kind.name,
            asked_from=world.grown[0][0] if world.grown else None,
            lost_nodes=sum(node.warned for node in world.nodes.values()),
            moved=sum(len(server.moved_s) for server in world.servers),
            ended_by_scale_in=sum(server.killed for server in world.servers),
            cost=self._cost(1.0, world.servers),
            prices=self._cluster.prices,
            samples=tuple(world.samples),
            assumed=assumptions(self._arrivals, self._distributions, self._ahead_s),
            not_checked=unknown_limits(self._cluster),
            seed=self._seed,
        )

    @property
    def _missed(self) -> int:
        return len(self._world.servers) - self._served

    def _verdict(self) -> Verdict:
        if self._missed:
            return "no"
        return "late" if self._waits.p95_s > LATE_S else "yes"

    def _limit(self, verdict: Verdict) -> Bound | None:
        """The limit that binds first. Concurrency takes no seat, and makes nodes late."""
        if self._bounds and verdict != "yes":
            return self._bounds[0]
        if verdict != "yes" and "concurrency" in self._world.unlaunched:
            nodes = -(-self._peak // self._cluster.kind.seats)
            at_once = (self._cluster.starts_at_once or 0) * self._cluster.kind.seats
            return limits.concurrency(self._cluster, nodes, min(at_once, self._peak))
        return None

    def _fits(self, limit: Bound | None) -> int:
        if self._bounds and limit:
            return limit.students
        return min(self._peak, self._served)

    def _remedies(self, verdict: Verdict, limit: Bound | None) -> list[str]:
        if verdict == "yes":
            return []
        found = [bound.remedy for bound in self._bounds] or ([limit.remedy] if limit else [])
        for lab in self._labs:
            found += self._booking_remedies(lab)
        return found

    def _booking_remedies(self, lab: Lab) -> list[str]:
        name, starts = lab.booking.name, lab.booking.starts
        if not lab.booked:
            return [f"Book {name!r}: its nodes then start {self._ahead_s / 60:.0f} minutes before."]
        found = []
        if lab.booking.seats < lab.students:
            found.append(f"Book {lab.students} seats for {name!r} instead of {lab.booking.seats}.")
        missing_s = self._ahead_s - (starts - self._now)
        if missing_s > 0:
            found.append(f"Book {name!r} {-(-missing_s // 60):.0f} minutes earlier.")
        return found

    def _lab_answers(self) -> list[LabAnswer]:
        world = self._world
        by_lab: list[list[Server]] = [[] for _ in self._labs]
        for server in world.servers:
            by_lab[server.student.lab].append(server)
        first = min(lab.booking.starts for lab in self._labs) - LEAD_S
        span = (max(self._now, first), world.now)
        parts = shares(self._labs, world.servers, list(world.nodes.values()), span)
        return [
            LabAnswer(
                name=lab.booking.name,
                starts=lab.booking.starts,
                ends=lab.booking.ends,
                booked=lab.booked,
                students=lab.students,
                served=sum(server.ready_at is not None for server in servers),
                waits=Waits.of(_waits_s(servers)),
                asked_from=self._asked_from(lab),
                moved=sum(len(server.moved_s) for server in servers),
                cost=self._cost(part, servers),
            )
            for lab, servers, part in zip(self._labs, by_lab, parts, strict=True)
        ]

    def _asked_from(self, lab: Lab) -> float | None:
        """When nodes were first asked for from a minute before the start-ahead to the lab's end."""
        earliest = lab.booking.starts - (self._ahead_s + TICK_S if lab.booked else 0)
        asked = [at for at, _ in self._world.grown if earliest <= at < lab.booking.ends]
        return asked[0] if asked else None

    def _cost(self, part: float, servers: Sequence[Server]) -> Cost:
        nodes = [
            (node, part * paid_hours(node, self._world.now)) for node in self._world.nodes.values()
        ]
        return cost(nodes, worked_hours(servers), self._cluster.prices)


def most_at_once(students: Sequence[Student]) -> int:
    """The most students whose servers want a seat at the same time."""
    changes = sorted(
        [(student.stops, -1) for student in students] + [(s.arrives, 1) for s in students]
    )
    most = there = 0
    for _, change in changes:
        there += change
        most = max(most, there)
    return most


def _waits_s(servers: Sequence[Server]) -> list[float]:
    return [server.wait_s for server in servers if server.wait_s is not None]
