"""The record of a cluster's day, and where it is kept."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Protocol

from labswarm.errors import BadInput

KEPT_S = 400 * 86_400
"""A record is forgotten after this time (seconds): the same month of last year is still there."""


@dataclass(frozen=True)
class LabUse:
    """The use of a lab on one day, in seconds of seats and of nodes. Without a name: of no lab.

    `starts` and `ends` are epoch seconds, `seats` is booked. `students` maps each student to the
    seconds in which a server of theirs was there; `seat_s` counts those without a name as well.
    """

    name: str = ""
    starts: float = 0
    ends: float = 0
    seats: int = 0
    seat_s: float = 0
    spot_s: float = 0
    on_demand_s: float = 0
    students: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, float]:
        """The lab itself: its name and its start."""
        return self.name, self.starts


@dataclass(frozen=True)
class Sample:
    """A cluster at `at` (epoch seconds): its nodes, and its students with a server and in line."""

    at: int
    nodes: int
    running: int
    waiting: int


@dataclass(frozen=True)
class DayUse:
    """A day in UTC, like 2026-11-24: its labs, and a sample for each minute with a node or a
    student."""

    day: str
    labs: tuple[LabUse, ...] = ()
    samples: tuple[Sample, ...] = ()

    @property
    def counted_at(self) -> float:
        """When it was last added to (epoch seconds), 0 for an empty record."""
        return self.samples[-1].at if self.samples else 0

    def to_json(self) -> str:
        values = [
            [sample.at, sample.nodes, sample.running, sample.waiting] for sample in self.samples
        ]
        labs = [asdict(lab) for lab in self.labs]
        text = {"day": self.day, "labs": labs, "samples": values}
        return json.dumps(text, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "DayUse":
        """Read what `to_json` wrote, here or in another version: a new key is left out.

        Raises BadInput for any other text.
        """
        known = {one.name for one in fields(LabUse)}
        try:
            values = json.loads(text)
            labs = [{key: lab[key] for key in known & lab.keys()} for lab in values["labs"]]
            return cls(
                values["day"],
                tuple(LabUse(**lab) for lab in labs),
                tuple(Sample(*sample[:4]) for sample in values["samples"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(
                "usage", f"is no record of a day ({error!r}); delete the item"
            ) from error


class Usages(Protocol):
    """Where the records are kept."""

    def read_day(self, cluster: str, day: str) -> DayUse:
        """The cluster's record of a day; an empty one where there is none."""

    def write_day(self, cluster: str, use: DayUse, counted_at: float) -> bool:
        """Keep it in place of the record that was last added to at `counted_at` (epoch seconds; 0:
        there is none). False, and nothing is written, when that has changed."""
