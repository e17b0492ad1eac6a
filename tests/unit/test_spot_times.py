"""The times of an interruption: two minutes are all that students have."""

from tests.simulation.simulation import Simulation

from labswarm.lifecycle.work import NOTICE_S


def seconds_until_moved() -> int:
    """The seconds from the warning until the student is on another node, in virtual time."""
    with Simulation(0, ticks=True) as simulation:
        simulation.opened(2)
        simulation.classroom.sit("s0")
        going = simulation.classroom.worker_of("s0")
        simulation.warn(str(going))
        for second in range(1, NOTICE_S):
            simulation.time.run(1)
            if simulation.classroom.worker_of("s0") not in (None, going):
                return second
        raise AssertionError(simulation.report())


def test_a_student_with_a_free_seat_elsewhere_is_moved_within_fifteen_seconds_of_the_warning() -> (
    None
):
    assert seconds_until_moved() <= 15
