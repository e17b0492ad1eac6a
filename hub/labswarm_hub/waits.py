"""How long a student's start takes: an estimate from the starts that this hub has measured.

Lab hours request nodes as soon as students wait. So the first new node opens one node start after
the line began, and the next one has seats for the students after those.
"""

import json
import math
import statistics
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

# Before anything was measured (s): the nodes of AWS's examples, and a server of this project's lab.
_NODE_S, _SERVER_S = 120.0, 10.0
# So many of the last starts count: a new image or instance type soon shows.
_COUNTED = 20
_KEPT = "You keep your place while this page is open."


@dataclass
class Waits:
    """The last starts of one group, in seconds, kept in `file` over a restart of the hub."""

    file: Path
    _nodes: deque[float] = field(default_factory=lambda: deque(maxlen=_COUNTED))
    _servers: deque[float] = field(default_factory=lambda: deque(maxlen=_COUNTED))

    @classmethod
    def read(cls, file: Path) -> "Waits":
        """Return the starts that a file keeps; none where it cannot be read."""
        waits = cls(file)
        try:
            kept = json.loads(file.read_text())
            waits._nodes.extend(map(float, kept["nodes"]))
            waits._servers.extend(map(float, kept["servers"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(file)
        return waits

    def node_opened(self, seconds: float) -> None:
        """Count a node that opened so long after the line for it began."""
        self._nodes.append(seconds)
        self._write()

    def server_answered(self, seconds: float) -> None:
        """Count a server that answered so long after it had a seat."""
        self._servers.append(seconds)
        self._write()

    @property
    def node_s(self) -> float:
        """Seconds from the beginning of a line until a new node opens."""
        return statistics.median(self._nodes) if self._nodes else _NODE_S

    @property
    def server_s(self) -> float:
        """Seconds from a server's seat until it answers."""
        return statistics.median(self._servers) if self._servers else _SERVER_S

    def _write(self) -> None:
        kept = {"nodes": list(self._nodes), "servers": list(self._servers)}
        # A start does not fail because its time cannot be kept.
        with suppress(OSError):
            self.file.write_text(json.dumps(kept))


@dataclass
class Line:
    """When a group's line began, and the nodes that were open then. Times are monotonic seconds.

    Once AWS was `short` of machines, the line says nothing of how long a node takes to open.
    """

    began: float
    open_then: frozenset[str]
    short: bool = False


@dataclass
class Wait:
    """One student's wait in line since `joined`; `ready_at` is when it ends by the estimate.

    `short_until` is when AWS was last known to have no machine. Times are monotonic seconds.
    """

    joined: float
    ready_at: float = math.inf
    short_until: float = 0.0

    def look(
        self,
        waits: Waits,
        line: Line,
        place: int,
        seats: int,
        now: float,
        next_try_s: float | None = None,
    ) -> "Progress":
        """Return the progress at `now` for this place in line; a new node has so many seats.

        The estimate never grows while it has not run out. `next_try_s` is as in Progress: a start
        begins when AWS has machines again.
        """
        if next_try_s is not None:
            self.short_until, self.ready_at = now, math.inf
        start_s = waits.node_s + waits.server_s
        begun = max(self.joined, self.short_until)
        next_node = max(line.began, self.short_until) + start_s if place <= seats else 0.0
        # A node that is late already says nothing to a student who has just come.
        self.ready_at = min(self.ready_at, next_node if next_node > begun else begun + start_s)
        return Progress(place, self.ready_at - now, now - self.joined, next_try_s)


@dataclass(frozen=True)
class Progress:
    """A wait in line: the place from 1, the seconds that are left by the estimate, and those that
    have passed.

    `next_try_s`: AWS has no machine, and tries again in so many seconds; 0 or less where that is
    not known. None: nothing is known of a shortage.
    """

    place: int
    left_s: float
    waited_s: float
    next_try_s: float | None = None

    @property
    def percent(self) -> int:
        """The part of the bar: it follows the estimate, and stays short of its end."""
        whole = self.waited_s + max(self.left_s, 0.0)
        return 5 + int(70 * self.waited_s / whole) if whole > 0 else 5

    @property
    def words(self) -> str:
        """The sentence that the student reads."""
        before = self.place - 1
        others = {0: "You are next.", 1: "1 student before you."}.get(
            before, f"{before} students before you."
        )
        if self.next_try_s is not None:
            again = (
                f"the next try is in about {_about(self.next_try_s)}"
                if self.next_try_s > 0
                else "it is asked again every few minutes"
            )
            return f"AWS has no machine of this kind right now; {again}. {_KEPT} {others}"
        if self.left_s > 0:
            return f"A machine is starting for you: about {_about(self.left_s)}. {others}"
        if self.waited_s < 2 * (self.waited_s + self.left_s):
            late = f"This takes longer than usual: {_about(self.waited_s)} so far."
        else:
            late = f"No new machine could be had for {_about(self.waited_s)}. {_KEPT}"
        return f"{late} {others}"


def _about(seconds: float) -> str:
    """Return a span as people say it: steps of 5 s, minutes from two on."""
    if seconds < 120:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{round(seconds / 60)} min"


def newly_open(line: Line, open_now: Iterable[str]) -> frozenset[str]:
    """Return the open nodes that were not open when the line began."""
    return frozenset(open_now) - line.open_then
