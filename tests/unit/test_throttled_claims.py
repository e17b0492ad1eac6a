"""A claim that AWS throttles for long: whose work it is has to be known before anything ends."""

import pytest
from tests.simulation.world import EMPTY_DEADLINE_S, World


@pytest.mark.parametrize("throttled", [7, 12])
def test_students_of_a_worker_that_goes_are_not_cut_off_by_a_claim_that_comes_late(
    throttled: int,
) -> None:
    """A claim that is given up is completed by the last resort, at once and with all on it."""
    with World(0, ticks=True) as world:
        (worker,) = world.opened(1)
        world.classroom.sit("s0")
        world.faults.throttling = throttled
        world.scale(0)
        world.time.run(240)
        claim = world.ledger.read(worker, "terminate")
        assert claim is not None, world.told()
        # Whoever is there when the time is over is moved.
        spared_until = claim.opened_at + EMPTY_DEADLINE_S - 1
        assert [cut for cut in world.classroom.cuts if cut.at < spared_until] == []
