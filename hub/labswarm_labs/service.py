"""The parts of the service behind its pages: the table, the cluster, the plan, the hub."""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.reports import DynamoReports
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.aws.groups import AutoScalingGroups
from labswarm.errors import BadInput, LabswarmError, Permanent
from labswarm.lab_hours.booked_labs import labs_of
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.booking_rules import refuse_unfit
from labswarm.lab_hours.bookings import Bookings, StoredBooking
from labswarm.lab_hours.decide import most_seats
from labswarm.lab_hours.timetable import HORIZON_S
from labswarm.readiness.reports import Report
from labswarm_labs import plans
from labswarm_labs.operations import Operations, read_operations
from labswarm_labs.plans import BookingPlan
from labswarm_operator.account import Clients
from labswarm_operator.planning.reading import Account

DAY_S = 86_400
ACCOUNT_FOR_S = 300.0
"""How long the cluster's sizes, limits and prices are taken as read."""

log = logging.getLogger("labswarm-labs")


class Changed(Permanent):
    """Somebody else has changed the booking since it was read."""


@dataclass(frozen=True)
class Upcoming:
    """The labs of the next eight days: those booked here, and those of the department's feed."""

    booked: tuple[Booking, ...]
    feed: tuple[Booking, ...]


class Labs:
    """The bookings of one cluster. Its methods block: call them in a thread.

    They raise AWS's errors by kind.
    """

    def __init__(
        self,
        cluster: str,
        bookings: Bookings,
        clients: Clients,
        idle_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.cluster = cluster
        self.now = now
        self._bookings = bookings
        self._clients = clients
        self._idle_s = idle_s
        self._account: tuple[float, Account] | None = None

    def bookings(self) -> tuple[StoredBooking, ...]:
        """Return all bookings, by the start of their next lab; those of the past come last."""
        now = self.now()
        read = self._bookings.read_bookings(self.cluster)
        for problem in read.problems:
            log.warning("%s", problem)
        return tuple(sorted(read.bookings, key=lambda one: _order(one, now)))

    def booking(self, name: str) -> StoredBooking:
        """Return the booking of this id. Raises BadInput when there is none."""
        for booking in self.bookings():
            if booking.id == name:
                return booking
        raise BadInput("id", f"there is no booking {name[:40]!r}; it may have been cancelled")

    def upcoming(self, bookings: tuple[StoredBooking, ...]) -> Upcoming:
        """Return the labs of the next eight days."""
        now = self.now()
        state = DynamoLabHoursStates(self._clients("dynamodb"), TABLE).read_state(self.cluster)
        feed = tuple(lab for lab in state.bookings if lab.ends > now)
        return Upcoming(tuple(labs_of(bookings, now, now + HORIZON_S)), feed)

    def ready_report(self) -> Report | None:
        """Return the last check before the labs; None without one, or where it cannot be read: the
        page does without."""
        reports = DynamoReports(self._clients("dynamodb"), TABLE)
        try:
            return reports.read_report(self.cluster)
        except LabswarmError as error:
            log.warning("the last check of %s cannot be read: %s", self.cluster, error)
            return None

    def operations(self) -> Operations:
        """Return the cluster as its admins see it."""
        return read_operations(self._clients, self.cluster)

    def refuse_unfit(self, booking: StoredBooking) -> None:
        """Raise BadInput if the booking may not be stored."""
        state = DynamoLabHoursStates(self._clients("dynamodb"), TABLE).read_state(self.cluster)
        cluster = SsmClusters(self._clients("ssm")).read_cluster(self.cluster)
        group = AutoScalingGroups(self._clients("autoscaling")).view(cluster.asg)
        refuse_unfit(
            booking,
            self._others(booking),
            state.bookings,
            self.now(),
            most_seats(cluster, group, state),
        )

    def plan(self, booking: StoredBooking) -> BookingPlan | None:
        """Return the plan of a booking; None when its last lab has begun."""
        now = self.now()
        labs = labs_of([booking], now, booking.until.timestamp() + 1)
        if not labs or labs[-1].starts < now:
            return None
        account = self._cached_account()
        return plans.planned(account, booking, self._others(booking), now, self._idle_s)

    def store(self, booking: StoredBooking, person: str) -> StoredBooking:
        """Keep a booking that has been checked.

        Raises Changed if the stored one has another version.
        """
        if booking.version:
            # The person who made it stays its maker.
            booking = replace(booking, created_by=self.booking(booking.id).created_by)
        written = self._bookings.write_booking(booking)
        if written is None:
            raise Changed(
                f"The booking {booking.title!r} was changed by somebody else in the meantime. "
                "Open it again to see how it is now."
            )
        log.info("%s booked %s", person, written.to_json())
        return written

    def cancel(self, booking: StoredBooking, person: str) -> None:
        """Forget a booking. Raises Changed if the stored one has another version."""
        if not self._bookings.remove_booking(booking):
            raise Changed(
                f"The booking {booking.title!r} was changed by somebody else in the meantime. "
                "Look at it again before you cancel it."
            )
        log.info("%s cancelled %s", person, booking.to_json())

    def extend(self, group: str, minutes: int, person: str) -> None:
        """Book the group's seats for some minutes more after its class that runs.

        Raises BadInput when none runs, or when the seats are not free then.
        """
        booking, ends = self._running(group)
        later = ends + 60 * minutes
        if not booking.is_exam:
            self._book_more(booking, ends, later, booking.seats, person)
            return
        # An exam stays one: its servers go on, and their files are copied once.
        longer = StoredBooking.parse(replace(booking, end=_wall(later, booking)).to_json())
        self.refuse_unfit(longer)
        self.store(longer, person)

    def raise_seats(self, group: str, seats: int, person: str) -> None:
        """Book more seats for the group's class that runs, from the next minute to its end.

        Raises BadInput when none runs, or when the cluster has no such seats.
        """
        booking, ends = self._running(group)
        self._book_more(booking, (self.now() // 60 + 1) * 60, ends, seats, person)

    def end(self, group: str, person: str) -> None:
        """End the bookings of the group's class that runs; a repeated one keeps its other days.

        Raises BadInput when none runs, and Changed as `store`.
        """
        now = self.now()
        running = [pair for pair in self._of_group(group) if pair[1].starts <= now < pair[1].ends]
        if not running:
            raise _no_class(group)
        for booking, lab in running:
            if booking.rrule is None:
                ends = max(lab.starts + 60, (now // 60 + 1) * 60)
                changed = replace(booking, end=_wall(ends, booking))
            else:
                day = _wall(lab.starts, booking)[:10]
                changed = replace(booking, exdates=(*booking.exdates, day))
            self.store(StoredBooking.parse(changed.to_json()), person)

    def _book_more(
        self, booking: StoredBooking, starts: float, ends: float, seats: int, person: str
    ) -> None:
        # A booking of its own: the class keeps its times in the other weeks.
        more = StoredBooking(
            id=secrets.token_hex(8),
            cluster=booking.cluster,
            title=booking.title,
            start=_wall(starts, booking),
            end=_wall(ends, booking),
            time_zone=booking.time_zone,
            seats=seats,
            created_by=person,
            profile=booking.profile,
            group=booking.group,
            warm_up=False,
            options=booking.options,
        )
        more = StoredBooking.parse(more.to_json())
        self.refuse_unfit(more)
        self.store(more, person)

    def _running(self, group: str) -> tuple[StoredBooking, float]:
        """The booking of the group's class that runs, and when that ends with what follows on it.
        Raises BadInput when none runs."""
        now = self.now()
        labs = self._of_group(group)
        found = next((pair for pair in labs if pair[1].starts <= now < pair[1].ends), None)
        if found is None:
            raise _no_class(group)
        booking, ends = found[0], found[1].ends
        for _, lab in labs:
            if lab.starts <= ends:
                ends = max(ends, lab.ends)
        return booking, ends

    def _of_group(self, group: str) -> list[tuple[StoredBooking, Booking]]:
        """The group's labs that run or start today, with their bookings, by their starts."""
        now = self.now()
        pairs = [
            (booking, lab)
            for booking in self.bookings()
            if booking.group == group
            for lab in labs_of([booking], now, now + DAY_S)
        ]
        return sorted(pairs, key=lambda pair: pair[1].starts)

    def _others(self, booking: StoredBooking) -> tuple[StoredBooking, ...]:
        read = self._bookings.read_bookings(self.cluster).bookings
        return tuple(other for other in read if other.id != booking.id)

    def _cached_account(self) -> Account:
        now = self.now()
        if self._account is None or now - self._account[0] > ACCOUNT_FOR_S:
            self._account = (now, plans.read(self._clients, self.cluster))
        return self._account[1]


def _order(booking: StoredBooking, now: float) -> tuple[Any, ...]:
    labs = labs_of([booking], now, booking.until.timestamp() + 1)
    return (not labs, labs[0].starts if labs else -booking.starts.timestamp(), booking.id)


def _wall(epoch_s: float, booking: StoredBooking) -> str:
    """A time as a booking has it."""
    return f"{datetime.fromtimestamp(epoch_s, booking.zone):%Y-%m-%dT%H:%M}"


def _no_class(group: str) -> BadInput:
    return BadInput("group", f"no lab of {group!r} runs now; book one")
