"""Read a month's records, the groups of its labs, and plan the labs for the forecast."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from labswarm.aws.dynamodb.bookings import TABLE as BOOKINGS
from labswarm.aws.dynamodb.bookings import DynamoBookings
from labswarm.aws.dynamodb.state import TABLE as LAB_HOURS
from labswarm.aws.dynamodb.usages import DynamoUsages
from labswarm.lab_hours.booked_labs import labs_of, warms_up
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.group_labs import WARM_UP_S
from labswarm.planning.cluster import Prices
from labswarm.planning.costs import Cost
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals, Lab
from labswarm.readiness.planned import distributions
from labswarm.usage.usages import DayUse
from labswarm_operator.account import Clients, asked
from labswarm_operator.costs.bill import Bill, Key, bill
from labswarm_operator.planning.prices import node_prices
from labswarm_operator.planning.reading import Account, Sizes, read_account
from labswarm_operator.progress import step
from labswarm_operator.refusal import Refusal

LOSSES = 0.05
"""The share of spot nodes that EC2 takes back per hour in the forecast: the plan's own default."""
DAY_S = 86_400
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def read_bill(clients: Clients, cluster: str, month: str, today: date) -> Bill:
    """Return the bill of a month, like 2026-11, as far as it has come.

    Raises Refusal for an unknown cluster, or for a month that is none or has not begun, and AWS's
    errors by kind.
    """
    days = days_of(month, today)
    account = read_account(clients, cluster, Sizes())
    with asked(), step(f"reading {len(days)} days of {cluster}"):
        records = _records(clients, cluster, days)
        stored = DynamoBookings(clients("dynamodb"), BOOKINGS).read_bookings(cluster).bookings
    prices = _prices(account)
    with step("planning the labs for the forecast"):
        forecasts = dict(_forecasts(account, prices, records))
    return bill(cluster, month, records, prices, groups_of(stored, days), forecasts)


def days_of(month: str, today: date) -> list[str]:
    """Return the days (UTC) of a month until today. Raises Refusal."""
    found = _MONTH.fullmatch(month)
    try:
        first = date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        first = None
    if first is None:
        raise Refusal(f"--month: {month!r} is no month; write one like {today:%Y-%m}.")
    if first > today:
        raise Refusal(f"--month: {month} has not begun; give a month until {today:%Y-%m}.")
    after = (first + timedelta(days=31)).replace(day=1)
    last = min(today, after - timedelta(days=1))
    return [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]


def groups_of(stored: Iterable[StoredBooking], days: list[str]) -> dict[Key, str]:
    """Return the groups of the labs of these days, from the bookings as they are now.

    A booking that was cancelled, renamed or moved since then has no group here.
    """
    begins = datetime.fromisoformat(days[0]).replace(tzinfo=UTC).timestamp()
    # A lab of the last day may start after midnight for its students.
    ends = begins + (len(days) + 1) * DAY_S
    return {
        (lab.name, lab.starts - WARM_UP_S if warms_up(booking) else lab.starts): booking.group
        for booking in stored
        if booking.group is not None
        for lab in labs_of([booking], begins - DAY_S, ends)
    }


def _records(clients: Clients, cluster: str, days: list[str]) -> list[DayUse]:
    usages = DynamoUsages(clients("dynamodb"), LAB_HOURS)
    return [usages.read_day(cluster, day) for day in days]


def _prices(account: Account) -> Prices | None:
    try:
        return node_prices(account.region, account.cluster.kind.name)
    except Refusal:
        # A type or region that the table of prices does not have: hours without a cost.
        return None


def _forecasts(
    account: Account, prices: Prices | None, records: Iterable[DayUse]
) -> Iterator[tuple[Key, Cost]]:
    """Plan each day's labs as they were booked, with the cluster as it is now."""
    cluster = replace(account.cluster, prices=prices)
    times = distributions(cluster, account.state.starts_s, LOSSES)
    by_day: defaultdict[date, dict[Key, Booking]] = defaultdict(dict)
    for record in records:
        for use in record.labs:
            if use.name:
                day = datetime.fromtimestamp(use.starts, UTC).date()
                by_day[day][use.key] = Booking(use.name, use.starts, use.ends, use.seats)
    for labs in by_day.values():
        timetable = [Lab(booking, booking.seats) for booking in labs.values()]
        before = min(lab.booking.starts for lab in timetable) - DAY_S
        answer = plan(timetable, cluster, Arrivals(), times, 1, before)
        for planned in answer.labs:
            yield (planned.name, planned.starts), planned.cost
