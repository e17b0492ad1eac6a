"""Crontab expressions of five fields: minute, hour, day of the month, month, day of the week.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from dataclasses import dataclass
from datetime import datetime

from labswarm_emulator.events.cron import allowed

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


class NoCrontab(ValueError):
    """It is not a crontab expression; the message names the bad part."""


@dataclass(frozen=True)
class Crontab:
    """The allowed values of each field. Sunday is 0, and 7 as well."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """With a day of the month and one of the week, either is enough."""

    @classmethod
    def parse(cls, expression: str) -> "Crontab":
        """Raises NoCrontab."""
        fields = expression.split()
        if len(fields) != 5:
            raise NoCrontab(f"{expression} has not five fields")
        minute, hour, day, month, weekday = fields
        try:
            return cls(
                minutes=allowed(minute, 0, 59),
                hours=allowed(hour, 0, 23),
                days=allowed(day, 1, 31),
                months=allowed(month, 1, 12, _MONTHS),
                weekdays=frozenset(n % 7 for n in allowed(_numbered(weekday), 0, 7)),
                either_day=not day.startswith("*") and not weekday.startswith("*"),
            )
        except ValueError as error:
            raise NoCrontab(f"{expression}: {error}") from error

    def fires_in(self, minute: datetime) -> bool:
        """Whether it fires in this minute, of the expression's time zone."""
        of_month = minute.day in self.days
        of_week = minute.isoweekday() % 7 in self.weekdays
        return (
            minute.minute in self.minutes
            and minute.hour in self.hours
            and minute.month in self.months
            and (of_month or of_week if self.either_day else of_month and of_week)
        )


def _numbered(weekday: str) -> str:
    for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]):
        weekday = weekday.upper().replace(name, str(number))
    return weekday
