"""Times of schedules: `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)`, `at(2026-11-24T08:00:00)`.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from labswarm_emulator.events.cron import cron

_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_UNIT_S = {"minute": 60, "hour": 3600, "day": 86400}


def rate_s(expression: str) -> int | None:
    """The seconds between two firings of a rate; None for a text that is not a rate."""
    match = _RATE.fullmatch(expression)
    return int(match[1]) * _UNIT_S[match[2]] if match else None


def valid(expression: str) -> bool:
    """Whether a rule can have this schedule: of one minute, and not of 1 minutes or 5 minute."""
    rate = _RATE.fullmatch(expression)
    if rate:
        return (rate[1] == "1") != bool(rate[3])
    return cron(expression) is not None


def at_s(expression: str, zone: str) -> float | None:
    """When a schedule fires once (epoch seconds); None for a text that is not such a time."""
    match = _AT.fullmatch(expression)
    if not match:
        return None
    try:
        return datetime.fromisoformat(match[1]).replace(tzinfo=ZoneInfo(zone)).timestamp()
    except ValueError:
        return None


@dataclass(frozen=True)
class Timed:
    """Something with a schedule; it fires from `begins` to `ends` (epoch seconds)."""

    name: str
    expression: str
    zone: str = "UTC"
    begins: float | None = None
    ends: float | None = None
    at_once: bool = False
    """A rate's first firing does not wait for the rate: Scheduler's, and not a rule's."""

    def fires_in(self, now: float) -> bool:
        """Whether a cron expression fires in the minute of `now`."""
        found = cron(self.expression)
        return found is not None and found.fires_in(
            datetime.fromtimestamp(now, ZoneInfo(self.zone))
        )


class Timetable:
    """Which schedules are due; `scaled` makes real seconds of the clock's.

    A rate counts from when it was first seen, or from its beginning, and again when it changes. A
    cron expression or a time is the wall clock's, on any scale.
    """

    def __init__(self, scaled: Callable[[float], float]) -> None:
        self._scaled = scaled
        self._due: dict[Timed, float] = {}

    def due(self, schedules: Iterable[Timed], now: float) -> list[str]:
        """The names of those that fire at `now` (epoch seconds)."""
        wanted = list(schedules)
        self._due = {timed: at for timed, at in self._due.items() if timed in wanted}
        fires = []
        for timed in wanted:
            at = self._due.setdefault(timed, self._first(timed, now))
            if at > now:
                continue
            self._due[timed] = self._next(timed, max(at, now - self._scaled(60)), now)
            begun = timed.begins is None or timed.begins <= now
            ended = timed.ends is not None and timed.ends < now
            is_cron = not rate_s(timed.expression) and at_s(timed.expression, timed.zone) is None
            if begun and not ended and (not is_cron or timed.fires_in(now)):
                fires.append(timed.name)
        return fires

    def _first(self, timed: Timed, now: float) -> float:
        begins = max(now, timed.begins or 0)
        once = at_s(timed.expression, timed.zone)
        if once is not None:
            return once if once >= begins else float("inf")
        every_s = rate_s(timed.expression)
        if not every_s:
            return begins - begins % 60 + 60
        return begins if timed.at_once else begins + self._scaled(every_s)

    def _next(self, timed: Timed, since: float, now: float) -> float:
        if at_s(timed.expression, timed.zone) is not None:
            return float("inf")
        every_s = rate_s(timed.expression)
        return since + self._scaled(every_s) if every_s else now - now % 60 + 60
