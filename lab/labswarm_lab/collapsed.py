"""Events for a person to read: an instance's repeated events become one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from labswarm_lab.timeline_events import TimelineEvent


@dataclass(frozen=True)
class Collapsed:
    """The last of an instance's equal events with no other event of it between them."""

    one: TimelineEvent
    times: int
    since: float

    def __str__(self) -> str:
        again = f" ({self.times} times since {clock(self.since)})" if self.times > 1 else ""
        return f"{self.one.text}{again}"


def collapsed(seen: Iterable[TimelineEvent]) -> list[Collapsed]:
    """Return all events in order; a repeated one stands at the place of its last time."""
    kept: list[Collapsed | None] = []
    last: dict[str | None, int] = {}
    for one in seen:
        place = last.get(one.instance_id)
        before = kept[place] if place is not None else None
        again = Collapsed(one, 1, one.at)
        if place is not None and before is not None and before.one.text == one.text:
            kept[place] = None
            again = Collapsed(one, before.times + 1, before.since)
        last[one.instance_id] = len(kept)
        kept.append(again)
    return [one for one in kept if one is not None]


def clock(at: float) -> str:
    """Return a time of day in this machine's time zone."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S")
