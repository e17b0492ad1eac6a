"""The timetables of all clusters: fetched and read after the minute's decisions, never within one.

One cluster's feed takes no time from another's. All are fetched at once, and each is read in a
process of its own, which is ended after a while. Feeds whose process had to be ended are read last,
and rarely.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Protocol

from labswarm.clock import Clock
from labswarm.errors import BadInput, LabswarmError, Transient
from labswarm.lab_hours.bounded import Overran, Reading
from labswarm.lab_hours.feed import Feeds
from labswarm.lab_hours.state import LabHoursState, LabHoursStates
from labswarm.lab_hours.timetable import Ending, Timetable

READ_EVERY_S = 6 * 3600
"""An unchanged feed is read again, because the horizon moves on."""
REST_S = 600
"""How long a feed whose reading had to be ended is left alone, even when it changes."""
FETCH_S = 12.0
"""How long all feeds together may take to come."""
LATEST_S = 25.0
"""How long after the beginning a reading still begins; each takes `bounded.LIMIT_S` at most."""
MOST_PROBLEMS = 20
_MOST_THREADS = 64


class Read(Protocol):
    """A reading that has begun."""

    def timetable(self) -> Timetable: ...


@dataclass(frozen=True)
class Wanted:
    """A cluster's feed: where it is, the cluster's limit of seats (None: not known yet), and its
    state."""

    cluster: str
    where: str
    most_seats: int | None
    state: LabHoursState


@dataclass
class Refreshed:
    """The result, by cluster: the state that have changed, why a feed is not available, and how
    the events of each feed end that was read."""

    changed: dict[str, LabHoursState] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    endings: dict[str, Mapping[Ending, int]] = field(default_factory=dict)


class Timetables:
    """Keeps the state' copy of each timetable up to date."""

    def __init__(
        self,
        feeds: Feeds,
        states: LabHoursStates,
        clock: Clock,
        begin: Callable[[str, str, float, int | None], Read] = Reading,
    ) -> None:
        self._feeds = feeds
        self._states = states
        self._clock = clock
        self._begin = begin

    def refresh(self, wanted: Sequence[Wanted]) -> Refreshed:
        """Fetch these feeds, read those that are due, and keep the results in the state.

        A problem with one feed, or with its state, stops no other.
        """
        begun = self._clock.now()
        refreshed = Refreshed()
        texts = self._fetched(wanted)
        due: list[tuple[Wanted, str, str]] = []
        for one in wanted:
            text = texts[one.cluster]
            if isinstance(text, LabswarmError):
                refreshed.unread[one.cluster] = f"the last good copy is used: {text}"
                continue
            digest = hashlib.sha256(f"{one.most_seats}\n{text}".encode()).hexdigest()
            if _is_due(one.state, digest, begun):
                due.append((one, text, digest))
        for one, text, digest in sorted(due, key=lambda d: _order(d[0].state)):
            if self._clock.now() - begun > LATEST_S:
                refreshed.unread[one.cluster] = (
                    "the last good copy is used: other feeds took this minute's time"
                )
                continue
            try:
                self._read(one, text, digest, refreshed)
            except LabswarmError as error:
                refreshed.unread[one.cluster] = f"the last good copy is used: {error}"
        return refreshed

    def _read(self, one: Wanted, text: str, digest: str, refreshed: Refreshed) -> None:
        now = self._clock.now()
        state = replace(one.state, digest=digest, read_at=now, ended_at=0.0)
        try:
            read = self._begin(text, one.cluster, now, one.most_seats).timetable()
        except BadInput as bad:
            state = replace(state, problems=(f"the last good copy is used: {bad}",))
            if isinstance(bad, Overran):
                state = replace(state, digest="", ended_at=now)
        else:
            refreshed.endings[one.cluster] = read.endings
            problems = _shortened((*read.problems, *read.warnings))
            state = replace(state, bookings=read.bookings, problems=problems)
        self._states.write_state(one.cluster, state)
        refreshed.changed[one.cluster] = state

    def _fetched(self, wanted: Sequence[Wanted]) -> Mapping[str, str | LabswarmError]:
        """The text of each feed, or why it could not be had in time."""
        if not wanted:
            return {}
        pool = ThreadPoolExecutor(min(_MOST_THREADS, len(wanted)))
        futures = {one.cluster: pool.submit(self._fetch, one.where) for one in wanted}
        done, _ = wait(futures.values(), timeout=FETCH_S)
        # A name that is not resolved cannot be given up, but it need not be waited for.
        pool.shutdown(wait=False, cancel_futures=True)
        late = Transient(f"the timetable's server took over {FETCH_S:g} s")
        return {
            cluster: future.result() if future in done else late
            for cluster, future in futures.items()
        }

    def _fetch(self, where: str) -> str | LabswarmError:
        try:
            return self._feeds.read_feed(where)
        except LabswarmError as error:
            return error


def _is_due(state: LabHoursState, digest: str, now: float) -> bool:
    if now - state.ended_at < REST_S:
        return False
    return digest != state.digest or now - state.read_at >= READ_EVERY_S


def _order(state: LabHoursState) -> tuple[bool, float]:
    """Those whose reading had to be ended last; among the others the oldest first."""
    return bool(state.ended_at), state.read_at


def _shortened(problems: tuple[str, ...]) -> tuple[str, ...]:
    if len(problems) <= MOST_PROBLEMS:
        return problems
    more = len(problems) - MOST_PROBLEMS
    return (*problems[:MOST_PROBLEMS], f"{more} more events have problems. Correct these first.")
