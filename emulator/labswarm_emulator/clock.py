"""One clock for every wait, retry and timeout, so that they can be scaled together."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Wall-clock time with one scale: a wait of `s` seconds takes `s * scale` seconds.

    Waits, retry intervals and timeouts have to shrink together, or an order of events that cannot
    happen on AWS would.
    """

    scale: float = 1.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def elapsed(self) -> float:
        """Return the seconds of this clock since an arbitrary moment; it never goes back."""
        return time.monotonic() / self.scale

    def real(self, seconds: float) -> float:
        """How many real seconds a wait of `seconds` takes."""
        return seconds * self.scale

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, scaled."""
        time.sleep(self.real(seconds))

    def after(self, seconds: float, action: Callable[[], None]) -> threading.Timer:
        """Run `action` once, `seconds` (scaled) from now; the timer returned can be cancelled."""
        timer = threading.Timer(self.real(seconds), action)
        timer.daemon = True
        timer.start()
        return timer
