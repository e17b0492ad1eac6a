"""From the form of a booking to the booking, and back."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from labswarm.errors import BadInput
from labswarm.lab_hours.bookings import EXAM, StoredBooking

REPEATS: Mapping[str, tuple[str, str]] = {
    "once": ("Once", ""),
    "weekly": ("Every week", "FREQ=WEEKLY"),
    "fortnightly": ("Every two weeks", "FREQ=WEEKLY;INTERVAL=2"),
    "daily": ("Every day", "FREQ=DAILY"),
}
"""The repeats that the form offers: a title, and the beginning of the rule."""
TERM = timedelta(weeks=26)
"""A copy is made for the same weekday and time, this much later."""
_FIELDS = (
    *("title", "date", "starts", "ends", "time_zone", "repeat", "until", "left_out"),
    *("seats", "group", "profile", "warm_up", "exam", "id", "version"),
)
_LONGEST = 2_000


@dataclass(frozen=True)
class Form:
    """The fields as they were written, each a text; a form that is refused is shown again."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> "Form":
        """Return the form's own fields of a request. Raises BadInput for one that is too long."""
        for name in _FIELDS:
            if len(arguments.get(name, "")) > _LONGEST:
                raise BadInput(name, f"has over {_LONGEST} characters; write less")
        return cls({name: arguments.get(name, "").strip() for name in _FIELDS})

    def booking(self, cluster: str, person: str) -> StoredBooking:
        """Return the booking. Raises BadInput naming the field."""
        given = self.values
        return StoredBooking.parse(
            {
                "id": given["id"] or secrets.token_hex(8),
                "cluster": cluster,
                "title": given["title"],
                "start": f"{given['date']}T{given['starts']}",
                "end": f"{self._last_day()}T{given['ends']}",
                "time_zone": given["time_zone"],
                "seats": _count("seats", given["seats"]),
                "created_by": person,
                "rrule": self._rule(),
                "exdates": given["left_out"].replace(",", " ").split(),
                "profile": given["profile"] or None,
                "group": given["group"] or None,
                "warm_up": given["warm_up"] == "yes",
                "options": {EXAM: "1"} if given["exam"] == "yes" else {},
                "version": _count("version", given["version"] or "0"),
            }
        )

    def _last_day(self) -> str:
        """The day on which the lab ends: the next one for a lab over midnight."""
        day, starts, ends = (self.values[name] for name in ("date", "starts", "ends"))
        try:
            begun = date.fromisoformat(day)
        except ValueError as error:
            raise BadInput("date", f"is {day!r}; write one like 2026-12-08") from error
        return str(begun + timedelta(days=ends < starts))

    def _rule(self) -> str | None:
        repeat, until = self.values["repeat"] or "once", self.values["until"]
        if repeat not in REPEATS:
            raise BadInput("repeat", f"is {repeat[:40]!r}; choose one of the list")
        if repeat == "once":
            return None
        try:
            last = date.fromisoformat(until)
        except ValueError as error:
            raise BadInput("until", f"is {until!r}; write the day of the last lab") from error
        return f"{REPEATS[repeat][1]};UNTIL={last:%Y%m%d}"


def form_of(booking: StoredBooking) -> Form:
    """Return the form of a booking."""
    rule, _, until = (booking.rrule or "").rpartition(";UNTIL=")
    repeat = next((name for name, (_, begins) in REPEATS.items() if begins == rule), "once")
    return Form(
        {
            "title": booking.title,
            "date": booking.start[:10],
            "starts": booking.start[11:],
            "ends": booking.end[11:],
            "time_zone": booking.time_zone,
            "repeat": repeat,
            "until": f"{until[:4]}-{until[4:6]}-{until[6:]}" if until else "",
            "left_out": " ".join(booking.exdates),
            "seats": str(booking.seats),
            "group": booking.group or "",
            "profile": booking.profile or "",
            "warm_up": "yes" if booking.warm_up else "",
            "exam": "yes" if booking.is_exam else "",
            "id": booking.id,
            "version": str(booking.version),
        }
    )


def copy_of(booking: StoredBooking, today: date) -> Form:
    """Return the form of the same booking in the next term, without the days left out."""
    first = date.fromisoformat(booking.start[:10])
    later = TERM
    while first + later < today:
        later += TERM
    form = form_of(replace(booking, exdates=())).values
    until = form["until"] and str(date.fromisoformat(form["until"]) + later)
    new = {"date": str(first + later), "until": until, "id": "", "version": "0"}
    return Form({**form, **new})


def empty_form() -> Form:
    """Return a form without a booking."""
    return Form(dict.fromkeys(_FIELDS, "") | {"repeat": "once", "warm_up": "yes", "version": "0"})


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise BadInput(name, f"is {text[:20]!r}; write a whole number")
    return int(text)
