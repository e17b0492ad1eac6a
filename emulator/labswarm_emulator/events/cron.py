"""EventBridge's cron expressions: `cron(0 8 ? * MON-FRI *)`, with L, W and #.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_SATURDAY, _SUNDAY = 7, 1

DayOf = Callable[[date], bool]


@dataclass(frozen=True)
class Cron:
    """The allowed values of each field; the day is of the month or of the week, the other being
    `?`.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    day: DayOf

    def fires_in(self, minute: datetime) -> bool:
        """Whether it fires in this minute, of the expression's time zone."""
        return (
            minute.minute in self.minutes
            and minute.hour in self.hours
            and minute.month in self.months
            and minute.year in self.years
            and self.day(minute.date())
        )


def cron(expression: str) -> Cron | None:
    """A cron expression; None for an expression that EventBridge would refuse."""
    match = _CRON.fullmatch(expression)
    if not match:
        return None
    minutes, hours, of_month, months, of_week, years = match.groups()
    # A day of the month and one of the week cannot both be asked for.
    if (of_month == "?") == (of_week == "?"):
        return None
    try:
        return Cron(
            minutes=allowed(minutes, 0, 59),
            hours=allowed(hours, 0, 23),
            months=allowed(months, 1, 12, _MONTHS),
            years=allowed(years, 1970, 2199),
            day=_of_week(of_week) if of_month == "?" else _of_month(of_month),
        )
    except ValueError:
        return None


def allowed(field: str, least: int, most: int, names: list[str] | None = None) -> frozenset[int]:
    """The numbers that a field of commas, ranges and steps allows. Raises ValueError."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if span == "*":
            first, last = least, most
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, names)
            last = _number(end, names) if dash else most if slash else first
        if not least <= first <= last <= most or (slash and not int(step) > 0):
            raise ValueError(f"{part} is not from {least} to {most}")
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _of_month(field: str) -> DayOf:
    if field == "L":
        return lambda day: day.day == _length(day)
    if weekday := re.fullmatch(r"(\d+|L)W", field):
        if weekday[1] != "L" and not 1 <= int(weekday[1]) <= 31:
            raise ValueError(f"{field} is no day of a month")
        return lambda day: day == _nearest_weekday(day, weekday[1])
    days = allowed(field, 1, 31)
    return lambda day: day.day in days


def _of_week(field: str) -> DayOf:
    if field == "L":
        return lambda day: _weekday(day) == _SATURDAY
    if last := re.fullmatch(r"(\w+)L", field):
        (wanted,) = allowed(last[1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and day.day + 7 > _length(day)
    if nth := re.fullmatch(r"(\w+)#([1-5])", field):
        (wanted,) = allowed(nth[1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == int(nth[2])
    days = allowed(field, 1, 7, _DAYS)
    return lambda day: _weekday(day) in days


def _nearest_weekday(month: date, wanted: str) -> date | None:
    """The day from Monday to Friday nearest to a day of the month, and in the same month."""
    length = _length(month)
    number = length if wanted == "L" else int(wanted)
    if number > length:
        return None
    day = month.replace(day=number)
    if _weekday(day) == _SATURDAY:
        return day.replace(day=number - 1 if number > 1 else 3)
    if _weekday(day) == _SUNDAY:
        return day.replace(day=number + 1 if number < length else number - 2)
    return day


def _weekday(day: date) -> int:
    """From Sunday, 1, to Saturday, 7."""
    return day.isoweekday() % 7 + 1


def _length(month: date) -> int:
    return calendar.monthrange(month.year, month.month)[1]


def _number(text: str, names: list[str] | None) -> int:
    if names and text.upper() in names:
        return names.index(text.upper()) + 1
    return int(text)
