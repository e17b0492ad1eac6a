"""What lab hours remember of a cluster from one minute to the next."""

import json
from dataclasses import asdict, dataclass
from typing import Protocol

from labswarm.lab_hours.booking import Booking


@dataclass(frozen=True)
class Notes:
    """`bookings` are the last good copy of the timetable and `problems` what is wrong with it, as
    read at `read_at` from a text with this `digest`; `starts_s` are the measured starts of nodes,
    read at `measured_at`. Times are epoch seconds. `node_seats` is a node's seats, once known, and
    `alarmed` the problems of which an alarm was raised last."""

    node_seats: int | None = None
    digest: str = ""
    read_at: float = 0
    bookings: tuple[Booking, ...] = ()
    problems: tuple[str, ...] = ()
    measured_at: float = 0
    starts_s: tuple[float, ...] = ()
    alarmed: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> "Notes":
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls(
            **{
                **values,
                "bookings": tuple(Booking(**booking) for booking in values["bookings"]),
                "problems": tuple(values["problems"]),
                "starts_s": tuple(values["starts_s"]),
                "alarmed": tuple(values.get("alarmed", ())),
            }
        )


class Notebook(Protocol):
    """Where the notes are kept. They can be made anew: the last to write is right."""

    def read(self, cluster: str) -> Notes:
        """The cluster's notes; empty ones when there are none."""

    def write(self, cluster: str, notes: Notes) -> None:
        """Keep the notes."""
