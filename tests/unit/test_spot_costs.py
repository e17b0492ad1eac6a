"""The cost of an interruption: state transitions and function calls, which are billed."""

import pytest
from tests.simulation.simulation import Simulation

SPOT = "labswarm-spot-interruption"


@pytest.mark.parametrize(
    ("students", "transitions", "calls"), [(0, 14, 12), (1, 14, 12), (3, 14, 12)]
)
def test_an_interruption_costs_the_same_for_any_students_on_the_node(
    students: int, transitions: int, calls: int
) -> None:
    """Without a seat that is waited for. Three calls are the looks for the node's end in Swarm."""
    with Simulation(1, ticks=True) as simulation:
        simulation.opened(2)
        for number in range(students):
            simulation.classroom.sit(f"s{number}")
        on_it = simulation.classroom.worker_of("s0") if students else simulation.open_workers()[0]
        assert on_it is not None
        simulation.warn(on_it)
        simulation.time.run(300)
        (execution,) = simulation.executions(SPOT)
        assert execution.status == "SUCCEEDED", simulation.report()
        seen = (len(execution.entered), execution.calls)
        assert seen == (transitions, calls), execution.entered
