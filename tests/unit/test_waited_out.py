"""A throttle or an unlisted error lasts for minutes, and costs no launch and no server."""

from collections import Counter

import pytest
from tests.simulation.faults import Fault, Kind
from tests.simulation.simulation import EMPTY_DEADLINE_S, Simulation

LAUNCH, TERMINATE, SPOT = (
    "labswarm-node-launch",
    "labswarm-node-terminate",
    "labswarm-spot-interruption",
)
LASTING: tuple[Kind, ...] = ("throttled", "unlisted")


@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("state", ["Claim", "AwaitAgent", "Identify", "RegisterChefClient", "Pull"])
def test_a_launch_waits_until_its_calls_are_taken(state: str, kind: Kind) -> None:
    with Simulation() as simulation:
        simulation.faults.tasks.append(Fault(LAUNCH, state, kind, 40))

        simulation.opened(1, within_s=1500)

        executions = simulation.executions(LAUNCH)
        # While its claim waits, the minute takes its event for lost: one of them gets the claim.
        endings = Counter(one.entered[-1] for one in executions)
        assert endings["Joined"] == 1, simulation.report()
        assert endings.keys() <= {"Joined", "Refused"}, simulation.report()
        assert {one.status for one in executions} == {"SUCCEEDED"}
        assert simulation.faults.met == 40


@pytest.mark.parametrize("kind", LASTING)
def test_after_its_time_to_go_forward_a_throttled_launch_is_undone(kind: Kind) -> None:
    with Simulation() as simulation:
        simulation.faults.tasks.append(Fault(LAUNCH, "Identify", kind, 10_000))
        simulation.scale(1)
        simulation.time.run(2400)

        assert "Abandon" in simulation.executions(LAUNCH)[0].entered, simulation.report()


@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("state", ["Pause", "Notify"])
def test_students_keep_their_time_while_the_hub_takes_no_calls(state: str, kind: Kind) -> None:
    with Simulation() as simulation:
        first, _ = simulation.opened(2)
        simulation.classroom.sit("s1")
        simulation.faults.tasks.append(Fault(TERMINATE, state, kind, 12))
        going = simulation.classroom.worker_of("s1") or first
        simulation.groups.terminate_instance_in_auto_scaling_group(going, True)

        simulation.time.run(EMPTY_DEADLINE_S - 1)
        assert simulation.classroom.cuts == []
        assert simulation.settle(), simulation.report()

        assert [cut.drained for cut in simulation.classroom.cuts] == [False]
        assert simulation.classroom.worker_of("s1") not in (None, going)


@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("state", ["Claim", "Warn", "Replace", "Evacuate"])
def test_a_warned_student_is_moved_although_some_calls_are_refused(state: str, kind: Kind) -> None:
    with Simulation() as simulation:
        first, _ = simulation.opened(2)
        simulation.classroom.sit("s1")
        simulation.faults.tasks.append(Fault(SPOT, state, kind, 4))
        going = simulation.classroom.worker_of("s1") or first

        simulation.warn(going)
        simulation.time.run(119)

        assert [cut.drained for cut in simulation.classroom.cuts] == [False]
        assert simulation.classroom.worker_of("s1") not in (None, going)
