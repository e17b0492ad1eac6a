"""Time that passes only when everybody waits; one process runs at a time, in a fixed order."""

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

START = 1_800_000_000.0
"""When a simulation begins, in seconds since the epoch."""


class Ended(BaseException):
    """Thrown into processes that still wait when their simulation ends."""


class Process:
    """Something that goes on by itself: plain code that calls `VirtualTime.sleep` to wait."""

    def __init__(
        self, time: "VirtualTime", act: Callable[[], Any], name: str, *, awaited: bool
    ) -> None:
        self.name = name
        self.awaited = awaited
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None
        self._act = act
        self._time = time
        self._turn = _closed()
        self._thread: threading.Thread | None = None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end, so long at most; whether it has ended."""
        return self._time.wait_until(lambda: self.done, timeout_s, self)

    def _resume(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, daemon=True, name=self.name)
            self._thread.start()
        else:
            self._turn.release()

    def _live(self) -> None:
        self._time.current.process = self
        try:
            self.result = self._act()
        except Ended:
            return
        except Exception as error:  # noqa: BLE001  # the one that waits for it raises it
            self.error = error
        finally:
            self.done = True
            self._time.ended(self)


class _Current(threading.local):
    process: Process | None = None


@dataclass(order=True)
class _Entry:
    at: float
    order: int
    process: Process = field(compare=False)
    stale: bool = field(default=False, compare=False)


class VirtualTime:
    """Implements labswarm.clock.Clock, for processes of its own.

    Processes that continue at the same instant do so in the order of their requests.
    """

    def __init__(self, start: float = START) -> None:
        self._now = start
        self._order = count()
        self._agenda: list[_Entry] = []
        self._waiting: dict[object, list[_Entry]] = {}
        self._alive: set[Process] = set()
        self._back = _closed()
        self._closing = False
        self.current = _Current()

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        """Wait; called from the outside it lets the simulation go on for so long."""
        process = self.current.process
        if process is None:
            self.run(seconds)
            return
        self._at(self._now + max(0.0, seconds), process)
        self._yield(process)

    def spawn(
        self, act: Callable[[], Any], name: str, after_s: float = 0, *, awaited: bool = False
    ) -> Process:
        """Have a process begin, `after_s` from now. The error of one that is `awaited` goes to the
        waiting process; any other's ends the simulation.
        """
        process = Process(self, act, name, awaited=awaited)
        self._alive.add(process)
        self._at(self._now + after_s, process)
        return process

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self._now + seconds
        while self._agenda and self._agenda[0].at <= end:
            self._step()
        self._now = end

    def run_until(self, seen: Callable[[], bool], within_s: float) -> bool:
        """Let time pass until something is so, `within_s` at most; whether it is."""
        end = self._now + within_s
        while not seen():
            if not self._agenda or self._agenda[0].at > end:
                self._now = max(self._now, end)
                return seen()
            self._step()
        return True

    def wait_until(self, seen: Callable[[], bool], timeout_s: float | None, other: object) -> bool:
        """In a process: wait for another's end, for `wake` with this name, or the timeout."""
        process = self.current.process
        assert process is not None, "only a process waits for another"
        limit = None if timeout_s is None else self._now + timeout_s
        while not seen() and (limit is None or self._now < limit):
            entry = None if limit is None else self._at(limit, process)
            watch = _Entry(self._now, next(self._order), process)
            self._waiting.setdefault(other, []).append(watch)
            self._yield(process)
            watch.stale = True
            if entry is not None:
                entry.stale = True
        return seen()

    def ended(self, process: Process) -> None:
        """A process has ended: the one that waits for it continues."""
        self._alive.discard(process)
        self.wake(process)
        self._back.release()

    def wake(self, other: object) -> None:
        """The process that waits for `other` continues."""
        for watch in self._waiting.pop(other, []):
            if not watch.stale:
                self._at(self._now, watch.process)

    def close(self) -> None:
        """End every process that still waits."""
        self._closing = True
        for process in list(self._alive):
            if process._thread is not None:
                process._turn.release()
                self._back.acquire()
                process._thread.join()
        self._alive.clear()
        self._agenda.clear()

    def _at(self, when: float, process: Process) -> _Entry:
        entry = _Entry(when, next(self._order), process)
        heapq.heappush(self._agenda, entry)
        return entry

    def _step(self) -> None:
        entry = heapq.heappop(self._agenda)
        if entry.stale or entry.process.done:
            return
        self._now = max(self._now, entry.at)
        entry.process._resume()
        self._back.acquire()
        if entry.process.error is not None and not entry.process.awaited:
            raise entry.process.error

    def _yield(self, process: Process) -> None:
        if self._closing:
            raise Ended
        self._back.release()
        process._turn.acquire()
        if self._closing:
            raise Ended


def _closed() -> threading.Lock:
    """A gate that lets one through each time that it is opened (released)."""
    gate = threading.Lock()
    gate.acquire()
    return gate
