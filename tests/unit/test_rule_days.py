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
