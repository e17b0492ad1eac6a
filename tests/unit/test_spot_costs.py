"""What an interruption costs: state transitions and function calls, which are billed."""

import pytest
from tests.simulation.world import World

SPOT = "labswarm-spot-interruption"


@pytest.mark.parametrize(("students", "transitions", "calls"), [(0, 14, 9), (1, 15, 9), (3, 15, 9)])
def test_an_interruption_costs_the_same_whoever_is_on_the_node(
    students: int, transitions: int, calls: int
) -> None:
    """Without a seat that is waited for, or a call that has to be made again."""
    with World(1, ticks=True) as world:
        world.opened(2)
        for number in range(students):
            world.classroom.sit(f"s{number}")
        on_it = world.classroom.worker_of("s0") if students else world.open_workers()[0]
        assert on_it is not None
        world.warn(on_it)
        world.time.run(300)
        (execution,) = world.executions(SPOT)
        assert execution.status == "SUCCEEDED", world.told()
        seen = (len(execution.entered), execution.calls)
        assert seen == (transitions, calls), execution.entered
