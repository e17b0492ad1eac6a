"""The state of a cluster that lab hours keep from minute to minute."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Protocol

from labswarm.lab_hours.booking import Booking

MOST_DECISIONS = 20


@dataclass(frozen=True)
class Reasons:
    """The reasons of a decision, which were the same from `at` (epoch seconds) on."""

    at: float
    reasons: tuple[str, ...]


def noted(known: Sequence[Reasons], reasons: tuple[str, ...], now: float) -> tuple[Reasons, ...]:
    """Return the last decisions with the one that is made now, unless it has the same reasons as
    the one before."""
    if known and known[-1].reasons == reasons:
        return tuple(known)
    return (*known, Reasons(now, reasons))[-MOST_DECISIONS:]


@dataclass(frozen=True)
class LabHoursState:
    """Times are epoch seconds.

    `bookings` are the last good copy of the timetable and `problems` its problems, as read at
    `read_at` from a text with this `digest`; `alarmed` are the problems of the last alarm.
    `ended_at` is when a reading took too long and was ended, 0 when the last did not. `starts_s`
    are the measured starts of nodes, read at `measured_at`. `node_seats` is a node's seats, once
    known, and `refusing` the ids of the Swarm's nodes that started no servers in the last snapshot.
    `booked` are the labs of the bookings that were made on the hub's page, with their problems, as
    read at `booked_at` from bookings with this digest; `exams` are those of them that are exams.
    `refused`: "spot" or "on-demand" while instances are missing because EC2 has none of that market
    for this group, else empty; `refused_since` is when that was first seen, else 0, and
    `next_try_at` when the group tries again, 0 while that is not known. `own_base` is the on-demand
    base that the group has to have again; None while it has it. `decisions` are the last ones, for
    admins.
    """

    node_seats: int | None = None
    digest: str = ""
    read_at: float = 0
    bookings: tuple[Booking, ...] = ()
    problems: tuple[str, ...] = ()
    measured_at: float = 0
    starts_s: tuple[float, ...] = ()
    alarmed: tuple[str, ...] = ()
    ended_at: float = 0
    refusing: tuple[str, ...] = ()
    booked: tuple[Booking, ...] = ()
    exams: tuple[Booking, ...] = ()
    booked_problems: tuple[str, ...] = ()
    booked_digest: str = ""
    booked_at: float = 0
    refused: str = ""
    refused_since: float = 0
    next_try_at: float = 0
    own_base: int | None = None
    decisions: tuple[Reasons, ...] = ()

    @property
    def labs(self) -> tuple[Booking, ...]:
        """The labs of the feed and of the hub's page, by their starts."""
        return tuple(sorted((*self.bookings, *self.booked), key=lambda lab: lab.starts))

    @property
    def all_problems(self) -> tuple[str, ...]:
        """The problems of the feed and of the page's bookings."""
        return (*self.problems, *self.booked_problems)

    def to_json(self) -> str:
        # As UTF-8: an item of DynamoDB has 400 KB at most, and an escaped letter takes 6 bytes.
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "LabHoursState":
        """Read what `to_json` wrote, here or in another version: a new key is left out."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in json.loads(text).items() if key in known}
        return cls(
            **{
                **values,
                "bookings": tuple(Booking(**booking) for booking in values["bookings"]),
                "problems": tuple(values["problems"]),
                "refusing": tuple(values.get("refusing", ())),
                "starts_s": tuple(values["starts_s"]),
                "alarmed": tuple(values.get("alarmed", ())),
                "booked": tuple(Booking(**lab) for lab in values.get("booked", ())),
                "exams": tuple(Booking(**lab) for lab in values.get("exams", ())),
                "decisions": tuple(
                    Reasons(one["at"], tuple(one["reasons"])) for one in values.get("decisions", ())
                ),
                "booked_problems": tuple(values.get("booked_problems", ())),
            }
        )


class LabHoursStates(Protocol):
    """Where the state are kept. They can be created again, so the last write wins."""

    def read_state(self, cluster: str) -> LabHoursState:
        """The cluster's state; empty ones when there are none."""

    def write_state(self, cluster: str, state: LabHoursState) -> None:
        """Keep the state."""
