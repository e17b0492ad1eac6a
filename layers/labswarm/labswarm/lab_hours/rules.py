"""Which recurrence rules are read. A rule that never ends its search, or recurs without end within
a day, is refused before a library sees it.

RFC 5545, 3.3.10 (https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10) lists the parts of a rule.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from icalendar.prop import vRecur

from labswarm.lab_hours.event_problem import EventProblem

MOST_A_DAY = 24
MOST_RULES = 4
MALFORMED = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError),
    *(RecursionError, TypeError, ValueError),
)
"""The errors that the libraries raise for values that are no dates, rules or zones."""

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
# With these a rule that never applies (30 February) is looked for day by day, until the year 9999.
_DAY_BY_DAY = ("DAILY", "WEEKLY")
_NEVER = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_ONE = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST")
_LEAST_AND_MOST: Mapping[str, tuple[int, int]] = {
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
_NOT_ZERO = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_PARTS = {*_LEAST_AND_MOST, *_ONE, "BYDAY"}
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def check_rules(component: Any, *, of_a_zone: bool = False) -> None:
    """Raise EventProblem for the first rule of an event, or of a part of a zone, that is not read.

    A zone's rule is read only when it is yearly.
    """
    rules = component.get("RRULE", [])
    rules = rules if isinstance(rules, list) else [rules]
    if len(rules) > MOST_RULES:
        raise EventProblem(f"has {len(rules)} rules. Write one RRULE, and RDATE for single dates")
    for rule in rules:
        if not isinstance(rule, vRecur):
            raise EventProblem(f"has the rule {str(rule)[:60]!r}. Write one like FREQ=WEEKLY")
        _check(rule)
        if of_a_zone and _frequency(rule) != "YEARLY":
            raise EventProblem("changes its clocks more often than yearly")


def set_until(rule: Any, start: datetime) -> None:
    """Write the rule's end as UTC. A date or a time without a zone is in the zone of the event's
    start, and a date is that whole day: otherwise its last lab would be lost."""
    until = rule.get("UNTIL")
    if not until:
        return
    at = until[0]
    if not isinstance(at, date):
        raise EventProblem("has a rule whose UNTIL is no date. Write it like 20261231T235959Z")
    if not isinstance(at, datetime):
        at = datetime.combine(at, time(23, 59, 59))
    rule["UNTIL"] = [(at if at.tzinfo else at.replace(tzinfo=start.tzinfo)).astimezone(UTC)]


def _check(rule: vRecur) -> None:
    unknown = sorted(str(part).upper() for part in rule if str(part).upper() not in _PARTS)
    if unknown:
        raise EventProblem(f"has a rule with {unknown[0][:20]}, which is not read. Leave it out")
    frequency = _frequency(rule)
    if frequency in _TOO_OFTEN:
        raise EventProblem(f"recurs {frequency}, which is too often. A lab recurs daily at most")
    if frequency not in _FREQUENCIES:
        raise EventProblem(f"recurs {frequency[:20]!r}. Write FREQ={', '.join(_FREQUENCIES)}")
    _check_values(rule)
    _check_times_a_day(rule)
    unfit = [part for part in _NEVER if part in rule]
    if frequency in _DAY_BY_DAY and unfit:
        raise EventProblem(f"recurs {frequency} with {unfit[0]}. Write it as MONTHLY or YEARLY")
    months = [int(month) for month in rule.get("BYMONTH", range(1, 13))]
    days = [abs(int(day)) for day in rule.get("BYMONTHDAY", [1])]
    if not any(day <= _DAYS[month - 1] for month in months for day in days):
        raise EventProblem("recurs on a day that no year has. Correct BYMONTH or BYMONTHDAY")


def _check_values(rule: vRecur) -> None:
    for part in _ONE:
        if len(rule.get(part, [None])) != 1:
            raise EventProblem(f"has a rule with more than one {part}. Write one")
    for part, (least, most) in _LEAST_AND_MOST.items():
        for value in rule.get(part, []):
            if not least <= int(value) <= most or (value == 0 and part in _NOT_ZERO):
                raise EventProblem(
                    f"has a rule with {part}={str(value)[:20]}. Write a number from "
                    f"{max(least, 1) if part in _NOT_ZERO else least} to {most}"
                )


def _check_times_a_day(rule: vRecur) -> None:
    a_day = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        a_day *= max(1, len(rule.get(part, [])))
    if a_day > MOST_A_DAY:
        raise EventProblem(f"recurs too often: {a_day} times a day. At most {MOST_A_DAY} are read")


def _frequency(rule: vRecur) -> str:
    return str(rule.get("FREQ", ["?"])[0]).upper()
