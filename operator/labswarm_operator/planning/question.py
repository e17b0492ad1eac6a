"""The values of a question: times, durations, limits and labs, from a command's options."""

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from labswarm.errors import BadInput
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bounded import read_bounded
from labswarm.lab_hours.calendar_text import decoded
from labswarm.planning.cluster import Limits
from labswarm.planning.students import Lab
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, None: 60}
MOST_STUDENTS = 99_999
LONGEST_S = 24 * 3600
_COUNT = re.compile(r"[1-9]\d{0,6}")
LIMITS = {field.name.replace("_", "-"): field.name for field in fields(Limits)}


def duration_s(option: str, text: str, most_s: float = LONGEST_S) -> float:
    """Return a duration in seconds: 90s, 10m, 2h, or 10, which are minutes. Raises Refusal."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS_S[found[2]] if found else -1
    if not 0 <= seconds <= most_s:
        raise Refusal(
            f"{option}: {text!r} is no duration of 0 to {most_s / 3600:g} hours; write 90s, 10m "
            "or 2h."
        )
    return seconds


def time_of(option: str, text: str, now: float) -> float:
    """Return a time in epoch seconds; without an offset it is in this machine's time zone.

    Raises Refusal for a text that is no time, and for a time in the past.
    """
    try:
        at = datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise Refusal(f"{option}: {text!r} is no time; write one like 2026-12-08T14:00.") from error
    if at.timestamp() < now:
        raise Refusal(f"{option}: {at:%Y-%m-%d %H:%M} is in the past; give a time to come.")
    return at.timestamp()


def with_limits(limits: Limits, given: Sequence[str]) -> Limits:
    """Return the limits with NAME=VALUE in place of some. Raises Refusal."""
    changes: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in LIMITS:
            raise Refusal(f"--limit: {unknown('limit', name, sorted(LIMITS))}")
        if not _COUNT.fullmatch(value):
            raise Refusal(f"--limit: {text!r} has no whole number; write {name}=100.")
        changes[LIMITS[name]] = int(value)
    return replace(limits, **changes)


def one_lab(
    students: int, starts: float, lasts_s: float, seats: int | None, *, booked: bool
) -> Lab:
    """Return the lab that is asked about; `seats` are booked, by default one for each student."""
    booking = Booking(f"lab of {students}", starts, starts + lasts_s, seats or students)
    return Lab(booking, students, booked)


def timetable_labs(text: str, cluster: str, now: float) -> tuple[list[Lab], tuple[str, ...]]:
    """Return the labs of a feed within eight days, all of them attended in full, and the problems
    of its events. Raises Refusal for a feed that cannot be read, or without a lab."""
    try:
        read = read_bounded(text, cluster, now)
    except BadInput as bad:
        raise Refusal(f"--timetable: {str(bad).removeprefix('timetable: ')}.") from bad
    labs = labs_of(read.bookings, now)
    if not labs:
        why = f" {read.problems[0]}" if read.problems else ""
        raise Refusal(f"--timetable: There is no lab of {cluster} within eight days.{why}")
    return labs, read.problems


def labs_of(bookings: Sequence[Booking], now: float) -> list[Lab]:
    """Return the booked labs that have not begun yet."""
    return [Lab(booking, booking.seats) for booking in bookings if booking.starts >= now]


def feed_text(where: str) -> str:
    """Return the text of a file, or of an https URL. Raises Refusal, and the errors of fetching."""
    if where.startswith("https://"):
        import urllib3

        from labswarm.aws.feed import fetched

        return fetched(urllib3.PoolManager(), where)
    try:
        return decoded(Path(where).read_bytes())
    except OSError as error:
        raise Refusal(
            f"--timetable: {where} cannot be read ({error.strerror}). Name a readable file."
        ) from error


def recorded_arrivals(file: Path) -> tuple[float, ...]:
    """Return the recorded offsets of a class: a number of seconds after its start in each line.

    Raises Refusal naming the first line that is wrong; a first line of letters is a heading.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(
            f"--arrivals: {file} cannot be read ({error}). Name a readable file."
        ) from error
    offsets = []
    for number, line in enumerate(lines, 1):
        text = line.strip().strip(",;")
        if not text or (number == 1 and text[0].isalpha()):
            continue
        try:
            offset = float(text)
        except ValueError:
            offset = -1
        if not 0 <= offset <= LONGEST_S:
            raise Refusal(
                f"--arrivals: line {number} of {file} is {text[:30]!r}; write the seconds from the "
                "lab's start, a number in each line."
            )
        offsets.append(offset)
    if not offsets:
        raise Refusal(f"--arrivals: {file} has no number; write the seconds from the lab's start.")
    return tuple(offsets)
