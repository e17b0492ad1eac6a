"""Looks at something awaited: at once, then ever less often."""

import pytest
from tests.support.app_twins import TwinClock

from labswarm_node.clock import backoff


class Waits(TwinClock):
    """Notes each wait, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        super().sleep(seconds)


def test_each_wait_is_longer_than_the_last_up_to_the_longest() -> None:
    clock = Waits()

    looks = sum(1 for _ in backoff(clock, 60, first_s=0.1, most_s=3))

    *waits, last = clock.waits
    assert waits[:3] == pytest.approx([0.1, 0.15, 0.225])
    assert waits == sorted(waits)
    assert max(waits) == 3
    assert last <= 3
    assert sum(clock.waits) == pytest.approx(60)
    # Ten looks a second for a minute would be 600, and throttled.
    assert looks < 30


def test_without_patience_there_is_one_look_and_no_wait() -> None:
    clock = Waits()

    assert list(backoff(clock, 0)) == [0]
    assert clock.waits == []
