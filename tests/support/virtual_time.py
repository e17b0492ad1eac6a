"""An event loop whose time passes while nothing happens, so that a wait of minutes takes none."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Returns the ready files; without any the awaited time has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits, and for nothing"
            self.now += timeout
        return ready


class VirtualTime(asyncio.SelectorEventLoop):
    """The loop; its time is in seconds, from 1000 on."""

    def __init__(self) -> None:
        self._passes = _Selector()
        super().__init__(self._passes)

    def time(self) -> float:
        return self._passes.now

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run `work` to its end and return its result."""
        return self.run_until_complete(work)
