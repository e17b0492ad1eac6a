"""A hub that does not answer while its students have to be moved: it is asked again, in time."""

import pytest
from tests.simulation.simulation import Simulation

from labswarm.lifecycle.work import NOTICE_S


@pytest.mark.parametrize("away_s", [20, 45, 70])
def test_a_hub_that_is_away_after_a_warning_moves_its_students_once_it_is_back(
    away_s: int,
) -> None:
    """A connection that is refused fails at once, and the tries of one state are soon over."""
    with Simulation(0, ticks=True) as simulation:
        simulation.opened(2)
        simulation.classroom.sit("s0")
        going = simulation.classroom.worker_of("s0")
        assert going is not None
        simulation.classroom.hub.down = True
        simulation.warn(going)
        simulation.time.run(away_s)
        assert simulation.classroom.worker_of("s0") == going, simulation.report()
        simulation.classroom.hub.down = False
        simulation.time.run(NOTICE_S - away_s - 1)
        assert [cut.drained for cut in simulation.classroom.cuts] == [False], simulation.report()
        assert simulation.classroom.worker_of("s0") not in (None, going), simulation.report()
        assert [e.status for e in simulation.executions("labswarm-spot-interruption")] == [
            "SUCCEEDED"
        ]
