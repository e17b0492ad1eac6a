"""A claim that AWS throttles for long: whose work it is has to be known before anything ends."""

import pytest
from tests.simulation.simulation import EMPTY_DEADLINE_S, Simulation


@pytest.mark.parametrize("throttled", [7, 12])
def test_students_of_a_worker_that_goes_are_not_cut_off_by_a_claim_that_comes_late(
    throttled: int,
) -> None:
    """A claim that is given up is completed by the last resort, at once and with all on it."""
    with Simulation(0, ticks=True) as simulation:
        (worker,) = simulation.opened(1)
        simulation.classroom.sit("s0")
        simulation.faults.throttling = throttled
        simulation.scale(0)
        simulation.time.run(240)
        claim = simulation.ledger.read_claim(worker, "terminate")
        assert claim is not None, simulation.report()
        # Students who are there when the time is over are moved.
        spared_until = claim.opened_at + EMPTY_DEADLINE_S - 1
        assert [cut for cut in simulation.classroom.cuts if cut.at < spared_until] == []
