"""Lambda in virtual time: the account's concurrency, and the time that functions are busy.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.simulation.interpreter import Failure
from tests.simulation.virtual_time import VirtualTime

LEAST_S, MOST_S = 0.02, 0.1
"""How long a function takes besides its calls to AWS."""
_QUEUE_S = 0.5


class Lambdas:
    """Every invocation. `limit` is the account's concurrency, `peak` the most at once.

    `busy_s` and `calls` are by function. Without `draw` a function takes no time of its own.
    """

    def __init__(self, time: VirtualTime, draw: random.Random | None) -> None:
        self._time = time
        self._draw = draw
        self._running = 0
        self.limit = 1000
        self.peak = 0
        self.refused = 0
        self.calls: Counter[str] = Counter()
        self.busy_s: Counter[str] = Counter()

    def invoked(self, function: str, act: Callable[[], Any]) -> Any:
        """Invoke a function for a Task, which is refused when too many run."""
        if self._running >= self.limit:
            self.refused += 1
            raise Failure("Lambda.TooManyRequestsException", "Rate Exceeded.")
        return self._run(function, act)

    def queued(self, function: str, act: Callable[[], Any]) -> Any:
        """Invoke a function for an event, which waits while too many run."""
        while self._running >= self.limit:
            self._time.sleep(_QUEUE_S)
        return self._run(function, act)

    def _run(self, function: str, act: Callable[[], Any]) -> Any:
        self._running += 1
        self.peak = max(self.peak, self._running)
        self.calls[function] += 1
        began = self._time.now()
        try:
            if self._draw:
                self._time.sleep(self._draw.uniform(LEAST_S, MOST_S))
            return act()
        finally:
            self._running -= 1
            self.busy_s[function] += self._time.now() - began  # type: ignore[assignment]
