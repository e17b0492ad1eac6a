"""Whether a booking may be stored: it is to come, and the cluster has its seats."""

from collections.abc import Sequence
from datetime import datetime

from labswarm.errors import BadInput
from labswarm.lab_hours.booked_labs import labs_of, peak
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import StoredBooking

MOST_BOOKINGS = 500
"""The most bookings of a cluster; those of the past count until they are forgotten."""


def refuse_unfit(
    booking: StoredBooking,
    others: Sequence[StoredBooking],
    feed: Sequence[Booking],
    now: float,
    most_seats: int | None,
) -> None:
    """Raise BadInput if the booking cannot be kept.

    `others` are the cluster's other bookings and `feed` the labs of its timetable. `most_seats` is
    the cluster's limit, None while it is not known. A new booking starts after `now` (epoch
    seconds); a changed one has a lab to come.
    """
    if booking.starts.timestamp() < now and not booking.version:
        raise BadInput(
            "start", f"{booking.start.replace('T', ' ')} is in the past; give a time to come"
        )
    labs = labs_of([booking], now, booking.until.timestamp() + 1)
    if not labs:
        raise BadInput("start", "leaves no lab to come; change the days or the times")
    if len(others) >= MOST_BOOKINGS:
        raise BadInput(
            "title", f"is one too many: the cluster has {len(others)} bookings; cancel some"
        )
    if most_seats is None:
        return
    if booking.seats > most_seats:
        raise BadInput(
            "seats",
            f"is {booking.seats}, and the cluster has {most_seats} at most; ask for fewer, or ask "
            "an admin to raise max_nodes",
        )
    theirs = [*feed, *labs_of(others, labs[0].starts, labs[-1].ends)]
    for lab in labs:
        together = peak(theirs, lab)
        if together > most_seats:
            day = datetime.fromtimestamp(lab.starts, booking.zone)
            raise BadInput(
                "seats",
                f"is {lab.seats}: with the other labs on {day:%Y-%m-%d} that makes {together}, and "
                f"the cluster has {most_seats} at most; choose another time, or fewer seats",
            )
