"""Without any event of a command's end everything still completes: each Task looks itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.simulation import template
from tests.simulation.simulation import EMPTY_DEADLINE_S, Simulation
from tests.support.app_twins import event

LAUNCH = "labswarm-node-launch"
# Five steps, each a Task's own time and its first pause later.
LAUNCH_S, LATER_S = 90, 180


@pytest.fixture
def deaf() -> Iterator[Simulation]:
    """A simulation in which EventBridge gets no status of a command."""
    with Simulation() as simulation:
        put = simulation.put_event

        def lose(event: Mapping[str, Any]) -> None:
            if event["source"] != "aws.ssm":
                put(event)

        simulation.ssm._notify = lose
        yield simulation


def test_a_launch_opens_within_the_time_of_its_own_looks(deaf: Simulation) -> None:
    deaf.opened(1, within_s=LAUNCH_S + LATER_S)

    assert [e.status for e in deaf.executions(LAUNCH)] == ["SUCCEEDED"]


def test_twenty_nodes_open_although_each_command_holds_its_slot_longer(deaf: Simulation) -> None:
    deaf.opened(20, within_s=600)


def test_a_termination_completes_and_its_student_has_the_time(deaf: Simulation) -> None:
    first, _ = deaf.opened(2)
    deaf.classroom.sit("s1")
    going = deaf.classroom.worker_of("s1") or first
    deaf.groups.terminate_instance_in_auto_scaling_group(going, True)
    deaf.time.run(EMPTY_DEADLINE_S - 1)
    assert deaf.classroom.cuts == []

    assert deaf.settle(), deaf.report()

    assert [cut.drained for cut in deaf.classroom.cuts] == [False]
    assert deaf.classroom.worker_of("s1") not in (None, going)
    assert deaf.traces() == []


def test_a_warned_student_is_moved_in_time(deaf: Simulation) -> None:
    first, _ = deaf.opened(2)
    deaf.classroom.sit("s1")
    going = deaf.classroom.worker_of("s1") or first

    deaf.warn(going)
    deaf.time.run(119)

    assert [cut.drained for cut in deaf.classroom.cuts] == [False]
    assert deaf.classroom.worker_of("s1") not in (None, going)


@pytest.mark.parametrize(("doubled", "late_s"), [(1.0, 0.0), (0.5, 40.0)])
def test_late_and_doubled_events_do_the_work_once(doubled: float, late_s: float) -> None:
    with Simulation() as simulation:
        simulation.faults.delivery.doubled = doubled
        simulation.faults.delivery.late_s = late_s

        simulation.opened(3)

        labels = [sent.comment for sent in simulation.ssm.sent.values()]
        assert len(labels) == len(set(labels)) == 3 * 5


def test_with_its_events_each_command_is_looked_at_once_and_none_is_searched_for() -> None:
    with Simulation() as simulation:
        simulation.opened(3)

        calls = simulation.faults.calls
        assert calls["ssm.get_command_invocation"] == len(simulation.ssm.sent) == 3 * 5
        assert calls["ssm.list_commands"] == 0


def test_the_sample_event_calls_the_function_that_answers_and_one_of_a_running_command_none() -> (
    None
):
    sample = event("command_ended")
    running = {**sample, "detail": {**sample["detail"], "status": "InProgress"}}
    foreign = {**sample, "detail": {**sample["detail"], "document-name": "AWS-RunShellScript"}}

    assert template.called_by(sample) == ["answer"]
    assert template.called_by(running) == template.called_by(foreign) == []


def test_the_simulations_events_are_like_the_sample() -> None:
    with Simulation() as simulation:
        simulation.opened(1)

        ends = [e["detail"] for e in simulation.events if e["source"] == "aws.ssm"]
        assert {detail["status"] for detail in ends} == {"InProgress", "Success"}
        # The simulation leaves out when the command was sent, which nothing reads.
        expected = event("command_ended")["detail"].keys() - {"requested-date-time"}
        assert all(detail.keys() == expected for detail in ends)
