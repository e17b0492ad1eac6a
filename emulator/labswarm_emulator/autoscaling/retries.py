"""A group that EC2 refused an instance tries again, after pauses that grow."""

import threading
from collections.abc import Callable

from labswarm_emulator.clock import Clock

FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 300.0
"""Twice as long each time, up to the longest. AWS does not say how long its pauses are."""


class Retries:
    """The pauses of the groups. Callers hold one lock around every call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[float, threading.Timer]] = {}

    def after_refusal(self, group_name: str, again: Callable[[], None]) -> None:
        """Try again after the next pause; an earlier retry that waits is not made."""
        pause_s = FIRST_PAUSE_S
        if group_name in self._waiting:
            before_s, timer = self._waiting[group_name]
            timer.cancel()
            pause_s = min(LONGEST_PAUSE_S, 2 * before_s)
        self._waiting[group_name] = (pause_s, self._clock.after(pause_s, again))

    def stop(self, group_name: str) -> None:
        """Nothing was refused, or the group is gone: the next pause is the first again."""
        if group_name in self._waiting:
            self._waiting.pop(group_name)[1].cancel()
