"""Time, as the functions see it; a test gives its own. No function waits, so nothing here does."""

import time
from typing import Protocol


class Clock(Protocol):
    """The time (epoch seconds)."""

    def now(self) -> float: ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()
