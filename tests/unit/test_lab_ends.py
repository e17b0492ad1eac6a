"""The end of a booked lab is noticed once it is near, and not while another lab goes on."""

import pytest

from labswarm.lab_hours.booking import Booking
from labswarm_node.lab_ends import FOLLOWS_S, NOTICE_S, end_of_labs

ENDS = 1_800_000_000.0


def lab(starts: float, ends: float) -> Booking:
    """A lab, in seconds from the end of the one that is looked at."""
    return Booking("Physics", ENDS + starts, ENDS + ends, 30)


PHYSICS = lab(-7200, 0)


@pytest.mark.parametrize(
    ("now", "seen"),
    [(-NOTICE_S - 1, False), (-NOTICE_S, True), (-1, True), (0, False), (-7201, False)],
)
def test_a_lab_ends_soon_in_its_last_five_minutes(now: float, seen: bool) -> None:
    assert end_of_labs([PHYSICS], ENDS + now) == (int(ENDS) if seen else None)


@pytest.mark.parametrize(
    ("other", "ends"),
    [
        (lab(-3600, 3600), None),  # runs on
        (lab(FOLLOWS_S, 7200), None),  # follows
        (lab(FOLLOWS_S + 1, 7200), int(ENDS)),
        (lab(-3600, 120), int(ENDS) + 120),  # ends a little later
        (lab(-9000, -7200), int(ENDS)),
    ],
)
def test_another_lab_prolongs_the_end(other: Booking, ends: int | None) -> None:
    assert end_of_labs([other, PHYSICS], ENDS - 60) == ends


def test_without_a_lab_nothing_ends() -> None:
    assert end_of_labs([], ENDS) is None
