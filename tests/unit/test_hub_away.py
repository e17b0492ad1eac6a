"""A hub that does not answer while its students are to be moved: it is asked again, in time."""

import pytest
from tests.simulation.world import World

from labswarm.lifecycle.work import NOTICE_S


@pytest.mark.parametrize("away_s", [20, 45, 70])
def test_a_hub_that_is_away_after_a_warning_moves_its_students_once_it_is_back(
    away_s: int,
) -> None:
    """A connection that is refused fails at once, and the tries of one state are soon over."""
    with World(0, ticks=True) as world:
        world.opened(2)
        world.classroom.sit("s0")
        going = world.classroom.worker_of("s0")
        assert going is not None
        world.classroom.hub.down = True
        world.warn(going)
        world.time.run(away_s)
        assert world.classroom.worker_of("s0") == going, world.told()
        world.classroom.hub.down = False
        world.time.run(NOTICE_S - away_s - 1)
        assert [cut.drained for cut in world.classroom.cuts] == [False], world.told()
        assert world.classroom.worker_of("s0") not in (None, going), world.told()
        assert [e.status for e in world.executions("labswarm-spot-interruption")] == ["SUCCEEDED"]
