"""In any order of events a cluster keeps its promises, and cleans up after itself."""

import functools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.simulation.faults import Delivery
from tests.simulation.simulation import ASG, EMPTY_DEADLINE_S, HUB, PASS, RECONCILE, Simulation

EXAMPLES, MANY = 200, 10_000
STUDENTS = st.integers(0, 11).map(lambda number: f"s{number}")
SECONDS = st.sampled_from([1, 5, 20, 60, 150, 600])
# A worker that is warned has two minutes; students are moved for all but the last 40 s of them.
DRAINED_BEFORE_S = 45
CLEANUP_S = 125


class Histories(RuleBasedStateMachine):
    """Students, an operator, EC2, and the network, on one cluster."""

    simulation: Simulation

    @initialize(seed=st.integers(0, 2**16), workers=st.integers(0, 2), opened=st.booleans())
    def begins(self, seed: int, workers: int, opened: bool) -> None:
        self.simulation = Simulation(seed, ticks=True)
        self.killed: set[str] = set()
        self.cut_off: set[str] = set()
        if opened:
            self.simulation.opened(workers)
        self.simulation.scale(workers)

    # Actions of people.

    @rule(student=STUDENTS)
    def student_sits(self, student: str) -> None:
        if self.simulation.classroom.hub.running(student, "") == "absent":
            self.simulation.classroom.sit(student)

    @rule(student=STUDENTS)
    def student_leaves(self, student: str) -> None:
        if self.simulation.classroom.hub.running(student, "") == "ready":
            self.simulation.classroom.leave(student)

    @rule(count=st.integers(0, 4))
    def operator_scales(self, count: int) -> None:
        self.simulation.scale(count)

    @rule(data=st.data(), shrink=st.booleans())
    def operator_ends_a_worker(self, data: st.DataObject, shrink: bool) -> None:
        instance_id = self.one_of_the_workers(data)
        if instance_id and not (shrink and self.simulation.group.desired == 0):
            self.simulation.groups.terminate_instance_in_auto_scaling_group(instance_id, shrink)

    @rule()
    def operator_reconciles(self) -> None:
        self.simulation.start(RECONCILE, PASS)

    # Actions of the hub.

    @rule(student=STUDENTS)
    def hub_loses_a_server(self, student: str) -> None:
        if self.simulation.classroom.hub.running(student, "") == "ready":
            self.simulation.classroom.lose(student)

    # Actions of EC2.

    @rule(data=st.data(), kind=st.sampled_from(["interruption", "rebalance"]))
    def ec2_warns(self, data: st.DataObject, kind: str) -> None:
        instance_id = self.one_of_the_workers(data)
        if instance_id:
            self.simulation.warn(instance_id, kind)
            if kind == "interruption":
                self.killed.add(instance_id)

    @rule(data=st.data())
    def ec2_kills(self, data: st.DataObject) -> None:
        instance_id = self.one_of_the_workers(data)
        if instance_id:
            self.killed.add(instance_id)
            self.simulation.kill(instance_id)

    # Actions of the network.

    @rule(
        lost=st.sampled_from([0.0, 0.3]),
        doubled=st.sampled_from([0.0, 0.5]),
        late_s=st.sampled_from([0.0, 5.0, 90.0]),
    )
    def delivery_changes(self, lost: float, doubled: float, late_s: float) -> None:
        self.simulation.faults.delivery = Delivery(lost, doubled, late_s)

    @rule(data=st.data(), healed_after_s=st.sampled_from([10, 60, 600, None]))
    def a_worker_is_cut_off(self, data: st.DataObject, healed_after_s: int | None) -> None:
        instance_id = self.one_of_the_workers(data)
        if instance_id and self.simulation.group.instances[instance_id].state == "InService":
            self.cut_off.add(instance_id)
            self.simulation.cut(instance_id)
            if healed_after_s:
                heal = functools.partial(self.simulation.heal, instance_id)
                self.simulation.time.spawn(heal, "heal", healed_after_s)

    @precondition(lambda self: self.simulation.events)
    @rule(data=st.data())
    def an_event_comes_again(self, data: st.DataObject) -> None:
        events = [
            e for e in self.simulation.events if e["source"] in ("aws.autoscaling", "aws.ec2")
        ]
        if events:
            self.simulation.deliver(events[data.draw(st.integers(0, len(events) - 1))])

    @rule(calls=st.integers(1, 12))
    def aws_throttles(self, calls: int) -> None:
        self.simulation.faults.throttling = calls

    @rule()
    def chef_stops_or_starts(self) -> None:
        self.simulation.chef.up = not self.simulation.chef.up

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.simulation.time.run(seconds)

    # Rules for every moment.

    @invariant()
    def an_instance_is_at_most_one_live_node(self) -> None:
        live = [n.instance_id for n in self.seen() if n.role == "worker" and n.state == "ready"]
        # A machine that has ended is ready for 15 s more, and may not be another's.
        assert len(live) == len(set(live)), self.simulation.report()

    @invariant()
    def the_manager_is_untouched(self) -> None:
        (manager,) = [n for n in self.seen() if n.role == "manager"]
        assert (manager.state, manager.availability) == ("ready", "active")
        assert manager.engine_label == HUB

    @invariant()
    def nobodys_server_ends_before_its_time(self) -> None:
        if not hasattr(self, "simulation"):
            return
        for cut in self.simulation.classroom.cuts:
            if cut.instance_id in self.killed | self.cut_off:
                continue
            claim = self.simulation.ledger.read_claim(cut.instance_id, "terminate")
            assert claim is not None, (cut, self.simulation.report())
            spared_until = claim.opened_at + EMPTY_DEADLINE_S - 1
            assert cut.at >= spared_until, (cut, claim, self.simulation.report())

    # Rules for the calm at the end.

    def teardown(self) -> None:
        if not hasattr(self, "simulation"):
            return
        with self.simulation as simulation:
            simulation.faults.delivery, simulation.faults.throttling, simulation.chef.up = (
                Delivery(),
                0,
                True,
            )
            simulation.faults.tasks.clear()
            for student in sorted(simulation.classroom.students()):
                simulation.classroom.leave(student)
            calm = simulation.time.run_until(self.calm, 4 * 3600)
            assert calm, f"never calm: {simulation.traces()}\n{simulation.report()}"
            self.each_token_is_completed_once()

    def calm(self) -> bool:
        classroom = self.simulation.classroom
        if not classroom.hub.servers():
            # Its gaps are not believed until a student comes back.
            classroom.sit("s59")
        return not self.simulation.traces()

    def each_token_is_completed_once(self) -> None:
        for instance_id, endings in self.simulation.group.endings.items():
            for transition in {transition for transition, _ in endings}:
                of_it = [how for what, how in endings if what == transition]
                assert len(of_it) == 1, (instance_id, endings)
                assert "timed out" not in of_it[0], self.simulation.report()

    # How it is known.

    def seen(self) -> list[Any]:
        return list(self.simulation.swarm.nodes()) if hasattr(self, "simulation") else []

    def one_of_the_workers(self, data: st.DataObject) -> str | None:
        workers = [
            i.instance_id
            for i in self.simulation.groups.groups[ASG].instances.values()
            if not i.leaving and i.instance_id not in self.killed
        ]
        return data.draw(st.sampled_from(workers)) if workers else None


def _of(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


class TestHistories(Histories.TestCase):  # type: ignore[misc,valid-type]
    settings = _of(EXAMPLES)


@pytest.mark.deep
@pytest.mark.timeout(0)
class TestManyHistories(Histories.TestCase):  # type: ignore[misc,valid-type]
    settings = _of(MANY)


def test_a_history_can_be_had_again() -> None:
    """The same seed makes the same simulation, or a failure could not be looked into."""
    report = []
    for _ in range(2):
        with Simulation(7, ticks=True) as simulation:
            simulation.opened(3)
            simulation.classroom.sit("s1")
            simulation.warn(simulation.open_workers()[0])
            simulation.time.run(600)
            report.append(simulation.report())
    assert report[0] == report[1]
    assert json.loads(report[0])["executions"]
