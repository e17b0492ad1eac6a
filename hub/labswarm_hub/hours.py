"""A student's hours per week: those of servers outside of booked labs."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labswarm.lab_hours.group_labs import GroupLab

_WEEK = timedelta(weeks=1)
_TABLE = """
CREATE TABLE IF NOT EXISTS hours (
    student TEXT NOT NULL, week TEXT NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (student, week)
)
"""
_ADD = """
INSERT INTO hours VALUES (?, ?, ?)
ON CONFLICT (student, week) DO UPDATE SET seconds = seconds + excluded.seconds
"""


def week_of(at: float) -> str:
    """Return the Monday of a time (epoch seconds) as a date, in UTC."""
    day = datetime.fromtimestamp(at, UTC).date()
    return str(day - timedelta(days=day.weekday()))


def charged(begun: float, ended: float, free: Iterable[GroupLab]) -> dict[str, float]:
    """Return the seconds from `begun` to `ended` (epoch seconds) outside of these labs, by week."""
    found: dict[str, float] = {}
    for starts, ends in _outside(begun, ended, free):
        at = starts
        while at < ends:
            monday = datetime.fromisoformat(week_of(at)).replace(tzinfo=UTC)
            until = min(ends, (monday + _WEEK).timestamp())
            found[week_of(at)] = found.get(week_of(at), 0.0) + until - at
            at = until
    return found


def _outside(begun: float, ended: float, free: Iterable[GroupLab]) -> Iterator[tuple[float, float]]:
    at = begun
    for lab in sorted(free, key=lambda lab: lab.starts):
        if lab.starts > at:
            yield at, min(lab.starts, ended)
        at = max(at, lab.ends)
        if at >= ended:
            return
    yield at, ended


class Hours:
    """The counted hours, in a file of SQLite: each change is whole, also when the hub is killed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, student: str, seconds: dict[str, float]) -> None:
        """Count these seconds, by week."""
        with closing(self._opened()) as database, database:
            database.executemany(_ADD, [(student, *pair) for pair in seconds.items()])

    def used_s(self, student: str, now: float) -> float:
        """Return the seconds that a student has used in the week of `now` (epoch seconds)."""
        with closing(self._opened()) as database:
            row = database.execute(
                "SELECT seconds FROM hours WHERE student = ? AND week = ?", (student, week_of(now))
            ).fetchone()
        return float(row[0]) if row else 0.0

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file)
        database.execute(_TABLE)
        return database
