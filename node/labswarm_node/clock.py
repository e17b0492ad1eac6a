"""Time on a machine of ours, whose tools may wait; a test gives its own."""

import time
from collections.abc import Iterator
from typing import Protocol

import labswarm.clock


class Clock(labswarm.clock.Clock, Protocol):
    """The time (epoch seconds), and waiting (seconds)."""

    def sleep(self, seconds: float) -> None: ...


class WallClock(labswarm.clock.WallClock):
    """The machine's own clock."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def backoff(
    clock: Clock, patience_s: float, first_s: float = 0.1, most_s: float = 3
) -> Iterator[int]:
    """Count the looks at something awaited: at once, then ever less often, until patience ends."""
    end = clock.now() + patience_s
    pause = first_s
    count = 0
    while True:
        yield count
        left = end - clock.now()
        if left <= 0:
            return
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, most_s)
        count += 1
