"""Events for a person to read: repeated events of an instance are shown once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from labswarm_lab.happenings import Happening


@dataclass(frozen=True)
class Retold:
    """The last of some happenings in which an instance did the same, and nothing else between."""

    one: Happening
    times: int
    since: float

    def __str__(self) -> str:
        again = f" ({self.times} times since {clock(self.since)})" if self.times > 1 else ""
        return f"{self.one.text}{again}"


def retold(seen: Iterable[Happening]) -> list[Retold]:
    """All events in order; a repeated one is in the place of its last time."""
    told: list[Retold | None] = []
    last: dict[str | None, int] = {}
    for one in seen:
        place = last.get(one.instance_id)
        before = told[place] if place is not None else None
        again = Retold(one, 1, one.at)
        if place is not None and before is not None and before.one.text == one.text:
            told[place] = None
            again = Retold(one, before.times + 1, before.since)
        last[one.instance_id] = len(told)
        told.append(again)
    return [one for one in told if one is not None]


def clock(at: float) -> str:
    """A time of day, of this machine's zone."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")
