"""Histories made from a seed: something happens to one node just when a machine is in some state.

`python -m tests.simulation.histories --count 500` runs that many, prints how much of
`tests.simulation.coverage` they have met, and exits with 1 when one of them breaks a promise.
The same seed makes the same history.
"""

import argparse
import contextlib
import io
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from labswarm.lifecycle.work import NOTICE_S
from tests.simulation import template
from tests.simulation.coverage import (
    ALONE,
    HOURS,
    LAUNCH,
    NOTHING,
    RECONCILE,
    SPOT,
    SURROUNDINGS,
    TASK_FAULTS,
    TERMINATE,
    Cell,
    others,
    table,
    tasks,
)
from tests.simulation.faults import Delivery, Fault
from tests.simulation.interpreter import Execution
from tests.simulation.simulation import ASG, EMPTY_DEADLINE_S, PASS, Simulation

HISTORIES = 1200
"""So many meet 95 % of what can be met."""
CALM_S = 4 * 3600
_HUB_BUSY_S = 7
# The shares of a Task's calls that have no fault: of the plot's machine, and of the others.
_SPARED, _SPARED_OTHERS = 0.35, 0.8
_MOST_FAULTS = 3
_CHURN_EVERY_S, _CHURN_TIMES = 60, 14
# A prime: it divides no number of plots, so a turn has each plot once.
_STRIDE = 97
# Two at a time; one of the pairs is only one.
_WEATHERS = tuple(zip((NOTHING, *SURROUNDINGS[:3]), SURROUNDINGS[3:], strict=True))
_UNDOING = ("PauseAgain", "Leave", "Remove", "RemoveChefIdentity", "Abandon")
_REBALANCED = ("PauseOnly", "AddNode", "Close")
_LASTS_S = (40, 120, 240)


class Broken(AssertionError):
    """A history broke a promise."""


@dataclass
class Met:
    """What histories have met: cells, students' early ends that were judged or excused, alarms."""

    cells: Counter[Cell] = field(default_factory=Counter)
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    judged: int = 0
    excused: int = 0
    alarms: int = 0


@dataclass(frozen=True)
class Plot:
    """The first time that `machine` enters `state`, `other` begins on its node, in `weathers`."""

    machine: str
    state: str
    other: str
    weathers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.machine} in {self.state}: {self.other}, {' and '.join(self.weathers)}"


@cache
def plots() -> list[tuple[str, str, str]]:
    """Every Task of each machine, with each other machine."""
    return [
        (machine, state, other)
        for machine, definition in template.machines().items()
        for state in tasks(definition["States"])
        for other in others(machine)
    ]


def plot_of(seed: int) -> Plot:
    """The plot of a seed: all plots in a mixed order, then again, each in its next weathers."""
    turn, index = divmod(seed, len(plots()))
    place = (index * _STRIDE) % len(plots())
    return Plot(*plots()[place], _WEATHERS[(place + turn) % len(_WEATHERS)])


class History:
    """One cluster's history; `met` counts what it meets. A `calm` one has no faults."""

    def __init__(self, seed: int, met: Met, *, calm: bool = False) -> None:
        self.plot = replace(plot_of(seed), weathers=()) if calm else plot_of(seed)
        self._is_calm = calm
        self._met = met
        self.simulation = Simulation(seed, ticks=True)
        self._draw = self.simulation.draw
        self._seed = seed
        self._faulty = seed % 4 != 0 and not calm
        self._visits: Counter[tuple[str, str, str]] = Counter()
        self._ended: dict[str, float] = {}
        self._began: dict[str, float] = {}
        self._begun = False
        self._weather: set[str] = set()
        self._hit: dict[str, str] = {}
        self._warned_at: dict[str, float] = {}
        self._is_permanent = False
        self.simulation.entered = self._entered

    def run(self) -> None:
        """Let it happen. Raises Broken with the history's seed and plot."""
        with self.simulation:
            try:
                _SCENES[self.plot.machine](self)
                self._watch(600)
                self._calm()
            except AssertionError as error:
                raise Broken(f"seed {self._seed}, {self.plot}: {error}") from error
            self._met.alarms += len(self.simulation.alarms)
            for execution in self.simulation.interpreter.executions.values():
                self._met.states.update((execution.machine, s) for s in execution.entered)

    # The scenes: each leads its machine through its states.

    def launching(self) -> None:
        """One worker comes."""
        simulation = self.simulation
        if self.plot.state in _UNDOING:
            simulation.faults.tasks.append(Fault(LAUNCH, "Activate", "permanent", 1))
            self._is_permanent = True
        simulation.group.pool = self.plot.state == "LetPool"
        if self.plot.state == "RefuseMove":
            self._move_unknown()
        simulation.scale(1)
        self._watch(400)
        simulation.group.pool = False
        self._sit(2)

    def terminating(self) -> None:
        """Of two workers, the one with students goes; some of them do not leave."""
        simulation = self.simulation
        going = self._with_students()
        if going is None:
            return
        simulation.groups.terminate_instance_in_auto_scaling_group(going, True)
        self._watch(20)
        if self.plot.state in ("Warn", "AwaitStudents") and going not in self._hit:
            self._warn(going)
        self._watch(EMPTY_DEADLINE_S + 60)

    def warned(self) -> None:
        """EC2 takes one of two workers back, or says that it may."""
        going = self._with_students()
        if going is None:
            return
        if self.plot.state in _REBALANCED:
            self.simulation.warn(going, "rebalance")
        else:
            self._warn(going)
        self._watch(150)

    def deciding(self) -> None:
        """Students find no seat, most leave, some come back, and the class is over."""
        self.simulation.scale(1)
        self._watch(110)
        self._churn()
        self._watch(20)
        self._sit(6)
        self._watch(330)
        for student in ("s1", "s2", "s4", "s5"):
            self._leave(student)
        self._watch(240)
        self._sit(6)
        self._watch(240)
        for student in ("s1", "s2", "s3", "s4", "s5"):
            self._leave(student)
        self._watch(400)
        self._leave("s0")
        self._watch(200)

    def passing(self) -> None:
        """A ghost in the Swarm, an orphan at the Chef Server, a lost node and a lost server."""
        simulation = self.simulation
        used = self._with_students(3)
        self._churn()
        if used is None:
            return
        lost = next(s for s in ("s0", "s1") if simulation.classroom.worker_of(s))
        if simulation.classroom.hub.running(lost, "") == "ready":
            simulation.classroom.lose(lost)
        open_ = [one for one in simulation.open_workers() if one != used]
        for first in open_[:1]:
            self._hit[first] = "killed"
            simulation.groups.groups[ASG].instances.pop(first)
            simulation.workers.end(first)
            simulation.group.desired = max(0, simulation.group.desired - 1)
        for second in open_[1:2]:
            self._hit[second] = "killed"
            simulation.workers.engines[second].leave(False)
        for _ in range(5):
            simulation.start(RECONCILE, PASS)
            self._watch(200)

    # What happens at the plot's state.

    def _entered(self, execution: Execution, state: str) -> str | None:
        """Note the cell of a Task that begins, and return its fault."""
        machine, node = execution.machine, subject(execution)
        self._began.setdefault(execution.arn, self.simulation.time.now())
        if (machine, state) == (self.plot.machine, self.plot.state) and not self._begun:
            self._begun = True
            self._begin(node)
            # The call takes its time, so that the other machine has begun before it.
            self.simulation.time.sleep(self._draw.uniform(0.5, 2))
        present = self._others(execution, node)
        fault = self._fault(machine, state, present[0])
        around = {*self._weather, self._hit.get(node or "", "")} & {*SURROUNDINGS}
        for other in present:
            for what in (fault or NOTHING, *around):
                self._met.cells[Cell(machine, state, what, other)] += 1
        if fault == "permanent":
            self._is_permanent = True
        return fault

    def _fault(self, machine: str, state: str, other: str) -> str | None:
        """The next fault in turn for this state with this other machine, or none."""
        if not self._faulty or not self._begun:
            return None
        self._visits[machine, state, other] += 1
        visit = self._visits[machine, state, other]
        spared = _SPARED if machine == self.plot.machine else _SPARED_OTHERS
        if visit > _MOST_FAULTS or self._draw.random() < spared:
            return None
        turn = self._seed // 4 * 3 + self._seed + visit
        return str(TASK_FAULTS[turn % len(TASK_FAULTS)])

    def _others(self, execution: Execution, node: str | None) -> list[str]:
        now = self.simulation.time.now()
        began = self._began[execution.arn]
        executions = self.simulation.interpreter.executions.values()
        at_work = {
            e.machine
            for e in executions
            if e.machine != execution.machine
            and (e.status == "RUNNING" or e.ended_at >= began)
            and (node is None or subject(e) in (node, None))
            and now >= began
        }
        found = [other for other in others(execution.machine) if other in at_work]
        return found or [ALONE]

    def _begin(self, node: str | None) -> None:
        simulation, now = self.simulation, self._soon
        if node is None:
            node = next((i.instance_id for i in self.simulation.group.instances.values()), None)
        if node and self.plot.machine not in (HOURS, RECONCILE):
            match self.plot.other:
                case "labswarm-node-terminate":
                    now(lambda: self._end(node))
                case "labswarm-spot-interruption":
                    now(lambda: self._warn(node))
                case "labswarm-reconcile":
                    now(lambda: simulation.start(RECONCILE, PASS))
        self._blow(node)

    def _churn(self) -> None:
        """The other machine works on one node after another, while a whole cluster is looked at."""
        simulation = self.simulation

        def act() -> None:
            for turn in range(_CHURN_TIMES):
                simulation.time.sleep(_CHURN_EVERY_S)
                there = [
                    i.instance_id for i in simulation.group.instances.values() if not i.leaving
                ]
                match self.plot.other:
                    case "labswarm-node-launch":
                        simulation.scale(min(6, simulation.group.desired + 1))
                    case "labswarm-node-terminate" if there:
                        simulation.scale(max(2, simulation.group.desired))
                        self._end(there[turn % len(there)])
                    case "labswarm-spot-interruption" if there:
                        self._warn(there[turn % len(there)])

        simulation.time.spawn(act, "churn")

    def _blow(self, node: str | None) -> None:
        """Begin the weather, for a while."""
        for weather in self.plot.weathers:
            self._blow_one(weather, node)

    def _blow_one(self, weather: str, node: str | None) -> None:
        simulation = self.simulation
        lasts_s = self._draw.choice(_LASTS_S)
        machine_is_there = node is not None and node in simulation.ssm.machines
        match weather:
            case "hub down":
                self._while(
                    lasts_s, weather, lambda on: setattr(simulation.classroom.hub, "down", on)
                )
            case "hub slow":
                self._while(lasts_s, weather, self._slow)
            case "Chef down":
                self._while(lasts_s, weather, lambda on: setattr(simulation.chef, "up", not on))
            case "throttled API":
                self._while(
                    lasts_s, weather, lambda on: setattr(simulation.faults, "throttling", 6 * on)
                )
            case "events lost":
                self._while(lasts_s, weather, self._lose_events)
            case "cut off" if node and machine_is_there:
                self._hit[node] = weather
                simulation.cut(node)
                simulation.time.spawn(lambda: simulation.heal(node), "heal", lasts_s)
            case "killed" if node and machine_is_there:
                self._hit[node] = weather
                self._soon(lambda: simulation.kill(node))

    def _lose_events(self, on: bool) -> None:
        """Half of them are lost, some come twice, and some come late."""
        self.simulation.faults.delivery = Delivery(0.5, 0.3, 20.0) if on else Delivery()

    def _while(self, lasts_s: float, weather: str, turn: Callable[[bool], None]) -> None:
        turn(True)
        self._weather.add(weather)

        def over() -> None:
            turn(False)
            self._weather.discard(weather)

        self.simulation.time.spawn(over, weather, lasts_s)

    def _slow(self, on: bool) -> None:
        """A slow hub works on each start and stop for some seconds."""
        hub = self.simulation.classroom.hub
        hub.slow = on
        hub.finish_stops()
        hub.finish_starts()
        if on:

            def work() -> None:
                while hub.slow:
                    self.simulation.time.sleep(_HUB_BUSY_S)
                    hub.finish_stops()
                    hub.finish_starts()

            self.simulation.time.spawn(work, "hub at work")

    # People, EC2 and the network.

    def _with_students(self, count: int = 2) -> str | None:
        """Open some workers and seat two students; the instance of one of them, if any."""
        self.simulation.scale(count)
        self._watch(110)
        self._sit(2)
        self._watch(5)
        there = [self.simulation.classroom.worker_of(s) for s in ("s0", "s1")]
        return next((one for one in there if one in self.simulation.group.instances), None)

    def _sit(self, count: int) -> None:
        for number in range(count):
            hub = self.simulation.classroom.hub
            if not hub.down and hub.running(f"s{number}", "") == "absent":
                self.simulation.classroom.sit(f"s{number}")

    def _leave(self, student: str) -> None:
        hub = self.simulation.classroom.hub
        if hub.down or hub.running(student, "") != "ready":
            return
        slow, hub.slow = hub.slow, False
        self.simulation.classroom.leave(student)
        hub.slow = slow

    def _warn(self, node: str) -> None:
        if node in self.simulation.group.instances:
            self._hit.setdefault(node, "warned")
            self._warned_at.setdefault(node, self.simulation.time.now())
            self.simulation.warn(node)

    def _end(self, node: str) -> None:
        instance = self.simulation.group.instances.get(node)
        if instance and not instance.leaving:
            shrink = self.simulation.group.desired > 0
            self.simulation.groups.terminate_instance_in_auto_scaling_group(node, shrink)

    def _soon(self, act: Callable[[], Any]) -> None:
        self.simulation.time.spawn(act, "plot", self._draw.uniform(0, 0.5))

    def _move_unknown(self) -> None:
        """The first instance comes from where none can come."""
        notify = self.simulation.groups.notify
        first: list[Mapping[str, Any]] = []

        def put_event(event: Mapping[str, Any]) -> None:
            if not first:
                first.append(event)
                event = {**event, "detail": {**event["detail"], "Origin": "AutoScalingGroup"}}
            notify(event)

        self.simulation.groups.notify = put_event

    # The promises.

    def _watch(self, seconds: float) -> None:
        """Let time pass, and look at it every few seconds."""
        end = self.simulation.time.now() + seconds
        while self.simulation.time.now() < end:
            self.simulation.time.run(min(5, end - self.simulation.time.now()))
            self._look()

    def _look(self) -> None:
        live = [n for n in self.simulation.swarm.nodes() if n.state == "ready"]
        (manager,) = [n for n in live if n.role == "manager"]
        assert manager.availability == "active", "the manager is touched"
        ids = [n.instance_id for n in live if n.role == "worker"]
        assert len(ids) == len(set(ids)), f"one instance is two nodes: {ids}"
        self._judge()

    def _judge(self) -> None:
        """Each server that ended without its student's request did so in its time."""
        cuts = self.simulation.classroom.cuts
        for cut in cuts:
            claim = self.simulation.ledger.read_claim(cut.instance_id, "terminate")
            launch = self.simulation.ledger.read_claim(cut.instance_id, "launch")
            undone = launch is not None and launch.phase != "joined"
            warned_at = self._warned_at.get(cut.instance_id)
            if self._is_calm and warned_at is not None:
                assert cut.at < warned_at + NOTICE_S, (
                    f"{cut} was not moved\n{self.simulation.report()}"
                )
            if cut.instance_id in self._hit or (undone and self._is_permanent):
                self._met.excused += 1
                continue
            assert claim is not None, f"{cut} without a termination\n{self.simulation.report()}"
            spared_until = claim.opened_at + EMPTY_DEADLINE_S - 1
            assert cut.at >= spared_until, (
                f"{cut} before {spared_until}\n{self.simulation.report()}"
            )
            self._met.judged += 1
        cuts.clear()

    def _calm(self) -> None:
        """Without faults nothing is left behind."""
        simulation = self.simulation
        self._faulty = False
        hub = simulation.classroom.hub
        hub.down = False
        self._slow(False)
        simulation.faults.delivery, simulation.faults.throttling = Delivery(), 0
        simulation.chef.up = True
        simulation.faults.tasks.clear()
        for student in sorted(simulation.classroom.students()):
            simulation.classroom.leave(student)
        calm = simulation.time.run_until(self._has_calmed, CALM_S)
        assert calm, f"never calm: {simulation.traces()}\n{simulation.report()}"
        self._judge()
        if self._is_calm and self.plot.machine != RECONCILE:
            self._check_first_hand()
        for instance_id, endings in simulation.group.endings.items():
            for transition in {transition for transition, _ in endings}:
                ends = [how for what, how in endings if what == transition]
                assert len(ends) == 1, f"{instance_id} {endings}"
                late = "timed out" in ends[0] and not self._is_permanent
                assert not late, f"{instance_id} {endings}\n{simulation.report()}"

    def _check_first_hand(self) -> None:
        """Without a fault everything is done by its own machine: nothing has to be done again."""
        simulation = self.simulation
        passes = simulation.executions(RECONCILE)
        again = [one.name for one in passes if "RemoveDownNodes" in one.entered]
        for one in simulation.interpreter.executions.values():
            if one.name.startswith("minute-") and "Refused" not in one.entered:
                again.append(one.name)
            if one.machine in (TERMINATE, SPOT) and one.status == "FAILED":
                again.append(f"{one.machine} {one.name} {one.error}")
        assert not again, f"{again}\n{simulation.report()}"
        assert not simulation.dead_letters, simulation.dead_letters

    def _has_calmed(self) -> bool:
        classroom = self.simulation.classroom
        if not classroom.hub.servers():
            # A hub without servers is not believed about services that it does not know.
            classroom.sit("s59")
        return not self.simulation.traces()


_SCENES: Mapping[str, Callable[[History], None]] = {
    LAUNCH: History.launching,
    TERMINATE: History.terminating,
    SPOT: History.warned,
    HOURS: History.deciding,
    RECONCILE: History.passing,
}


def subject(execution: Execution) -> str | None:
    """The instance that an execution is about; None for a whole cluster."""
    given = execution.given if isinstance(execution.given, Mapping) else {}
    detail = given.get("detail", {})
    found = detail.get("EC2InstanceId") or detail.get("instance-id")
    return str(found) if found else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run histories; print the promises that they broke, and what they met."""
    parser = argparse.ArgumentParser(prog="tests.simulation.histories", description=__doc__)
    parser.add_argument("--count", type=int, default=HISTORIES, help="how many histories to run")
    parser.add_argument("--first", type=int, default=0, help="the first one's seed")
    parser.add_argument("--machine", default="", help="only those about machines with this name")
    parser.add_argument("--calm", action="store_true", help="without faults, only with a plot")
    parser.add_argument("-x", "--exit-first", action="store_true", help="stop at the first broken")
    given = parser.parse_args(arguments)
    met, broken = Met(), 0
    seeds = (s for s in itertools.count(given.first) if given.machine in plot_of(s).machine)
    for seed in itertools.islice(seeds, given.count):
        try:
            # The functions print their metrics.
            with contextlib.redirect_stdout(io.StringIO()):
                History(seed, met, calm=given.calm).run()
        except Broken as error:
            broken += 1
            print(error, flush=True)
            if given.exit_first:
                break
    print(table(met.cells, met.states))
    print(
        f"{met.judged} early ends of students' servers judged, {met.excused} excused; "
        f"{met.alarms} alarms; {broken} histories broken"
    )
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
