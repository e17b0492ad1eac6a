"""When a rule with a schedule fires: `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)`, in UTC.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_UNIT_S = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass(frozen=True)
class Cron:
    """What each field allows; a day has to be allowed of its month and of its week."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def fires_in(self, minute: datetime) -> bool:
        """Whether it fires in this minute (UTC)."""
        return (
            minute.minute in self.minutes
            and minute.hour in self.hours
            and minute.day in self.days
            and minute.month in self.months
            and minute.isoweekday() % 7 + 1 in self.weekdays
            and minute.year in self.years
        )


def rate_s(expression: str) -> int | None:
    """The seconds between two firings of a rate; None for what is no rate."""
    match = _RATE.fullmatch(expression)
    return int(match[1]) * _UNIT_S[match[2]] if match else None


def cron(expression: str) -> Cron | None:
    """A cron expression; None for what is none, or uses L, W or #, which the plane does not."""
    match = _CRON.fullmatch(expression)
    if not match:
        return None
    try:
        return Cron(
            minutes=_allowed(match[1], 0, 59),
            hours=_allowed(match[2], 0, 23),
            days=_allowed(match[3], 1, 31),
            months=_allowed(match[4], 1, 12, _MONTHS),
            weekdays=_allowed(match[5], 1, 7, _DAYS),
            years=_allowed(match[6], 1970, 2199),
        )
    except ValueError:
        return None


def _allowed(field: str, least: int, most: int, names: list[str] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = least, most
        else:
            begin, _, end = span.partition("-")
            first = _number(begin, names)
            last = _number(end, names) if end else most if step else first
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(number for number in found if least <= number <= most)


def _number(text: str, names: list[str] | None) -> int:
    if names and text.upper() in names:
        return names.index(text.upper()) + 1
    return int(text)


class Timetable:
    """Which schedules are due; `scaled` makes real seconds of the clock's.

    A rate counts from when its rule was first seen, and anew when it changes. A cron expression
    is the wall clock's, whatever the scale.
    """

    def __init__(self, scaled: Callable[[float], float]) -> None:
        self._scaled = scaled
        self._due: dict[tuple[str, str], float] = {}

    def due(self, rules: list[tuple[str, str]], now: float) -> list[str]:
        """The ARNs of those of `rules` (ARN and expression) that fire at `now` (epoch seconds)."""
        fires = []
        self._due = {rule: at for rule, at in self._due.items() if rule in rules}
        for rule in rules:
            arn, expression = rule
            at = self._due.get(rule)
            if at is None:
                self._due[rule] = self._next(expression, now)
            elif at <= now:
                self._due[rule] = self._next(expression, max(at, now - self._scaled(60)))
                if rate_s(expression) or _fires(expression, now):
                    fires.append(arn)
        return fires

    def _next(self, expression: str, now: float) -> float:
        every_s = rate_s(expression)
        return now + self._scaled(every_s) if every_s else now - now % 60 + 60


def _fires(expression: str, now: float) -> bool:
    found = cron(expression)
    return found is not None and found.fires_in(datetime.fromtimestamp(now, UTC))
