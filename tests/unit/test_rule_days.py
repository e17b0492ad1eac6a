"""A rule for a day that no year has is refused: a library would look for that day for ever."""

import calendar

import pytest
from icalendar import Event, vRecur

from labswarm.lab_hours.event_problem import EventProblem
from labswarm.lab_hours.rules import check_rules

LEAP_YEAR = 2028


def rule(month: int, day: int) -> Event:
    event = Event()
    event["RRULE"] = vRecur({"FREQ": ["YEARLY"], "BYMONTH": [month], "BYMONTHDAY": [day]})
    return event


@pytest.mark.parametrize("month", range(1, 13))
def test_the_last_day_of_a_month_is_read_and_the_day_after_it_refused(month: int) -> None:
    last = calendar.monthrange(LEAP_YEAR, month)[1]

    check_rules(rule(month, last))
    check_rules(rule(month, -last))
    for day in (last + 1, -last - 1):
        with pytest.raises(EventProblem):
            check_rules(rule(month, day))


# https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10, without the leap second; a library counts
# the occurrences of COUNT one by one.
LEAST_AND_MOST = {
    "INTERVAL": (1, 1_000),
    "COUNT": (1, 1_000_000),
    "BYSECOND": (0, 59),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
}


def yearly(part: str, value: int) -> Event:
    event = Event()
    event["RRULE"] = vRecur({"FREQ": ["YEARLY"], part: [value]})
    return event


@pytest.mark.parametrize("part", LEAST_AND_MOST)
def test_each_part_of_a_rule_is_read_within_its_bounds_and_refused_beyond(part: str) -> None:
    least, most = LEAST_AND_MOST[part]

    for value in (least, most):
        check_rules(yearly(part, value))
    for value in (least - 1, most + 1):
        with pytest.raises(EventProblem, match=part):
            check_rules(yearly(part, value))


@pytest.mark.parametrize("part", [part for part, (least, _) in LEAST_AND_MOST.items() if least < 0])
def test_a_part_that_counts_from_both_ends_has_no_zero(part: str) -> None:
    with pytest.raises(EventProblem, match=part):
        check_rules(yearly(part, 0))
