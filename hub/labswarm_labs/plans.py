"""The answer of `labswarm plan` for a booking, before it is confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from labswarm.lab_hours.booked_labs import labs_of
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.planning.answer import Answer, LabAnswer
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals, Lab
from labswarm.readiness.planned import distributions
from labswarm_operator.account import Clients
from labswarm_operator.planning.prices import node_prices
from labswarm_operator.planning.reading import Account, Sizes, read_account
from labswarm_operator.refusal import Refusal

LOSSES_PER_HOUR = 0.05
"""As the command's default: EC2 takes back 5 % of the spot nodes in an hour."""
_AROUND_S = 2 * 3600.0
_SEED = 1


@dataclass(frozen=True)
class BookingPlan:
    """The answer for the first lab to come with its neighbours; `labs` counts the booking's labs
    that are still to come."""

    answer: Answer
    first: Booking
    labs: int

    @property
    def usd(self) -> float | None:
        """The cost of all labs of the booking, as the first one's."""
        cost = self._own.cost.usd
        return None if cost is None else cost * self.labs

    @property
    def asked_from(self) -> float | None:
        """When nodes are first asked for this lab (epoch seconds); None: there are enough."""
        return self._own.asked_from

    @property
    def _own(self) -> LabAnswer:
        # It is the last of the planned timetable.
        return self.answer.labs[-1]


def read(clients: Clients, cluster: str) -> Account:
    """Return the cluster as its account has it, with prices where they are known.

    Raises AWS's errors by kind, and Refusal.
    """
    account = read_account(clients, cluster, Sizes())
    try:
        prices = node_prices(account.region, account.cluster.kind.name)
    except Refusal:
        return account
    return replace(account, cluster=replace(account.cluster, prices=prices))


def planned(
    account: Account,
    booking: StoredBooking,
    others: Sequence[StoredBooking],
    now: float,
    idle_s: float,
) -> BookingPlan:
    """Return the plan of a booking with a lab to come, with every booked student present."""
    last = booking.until.timestamp() + 1
    mine = [lab for lab in labs_of([booking], now, last) if lab.starts >= now]
    first = mine[0]
    around = (first.starts - _AROUND_S, first.ends + _AROUND_S)
    feed = [
        lab for lab in account.state.bookings if around[0] < lab.ends and lab.starts < around[1]
    ]
    neighbours = [lab for lab in (*feed, *labs_of(others, *around)) if lab.starts >= now]
    timetable = [Lab(lab, lab.seats) for lab in (*neighbours, first)]
    measured_s = account.state.starts_s
    times = distributions(account.cluster, measured_s, LOSSES_PER_HOUR)
    answer = plan(timetable, account.cluster, Arrivals(idle_s=idle_s), times, _SEED, now)
    return BookingPlan(answer, first, len(mine))
