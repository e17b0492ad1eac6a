"""The feeds of many clusters: a problem with one costs no other cluster anything."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.app_twins import TwinClock
from tests.support.feeds import ONCE, event, feed
from tests.twins.state import MemoryLabHoursStates

from labswarm.errors import BadInput, Transient
from labswarm.lab_hours import timetables
from labswarm.lab_hours.bounded import Overran, Reading
from labswarm.lab_hours.state import LabHoursState
from labswarm.lab_hours.timetable import Ending, Timetable, read_timetable
from labswarm.lab_hours.timetables import LATEST_S, REST_S, Refreshed, Timetables, Wanted

NOW = 1_795_507_200.0
"""2026-11-24T08:00:00Z"""
GOOD = feed(event(*ONCE))


@dataclass
class Feeds:
    """The departments' servers, by where a feed is; a text that is no str is raised."""

    texts: dict[str, str | Transient | BadInput]
    slow: dict[str, threading.Event] = field(default_factory=dict)

    def read_feed(self, where: str) -> str:
        if where in self.slow:
            self.slow[where].wait()
        text = self.texts[where]
        if isinstance(text, str):
            return text
        raise text


class Rig:
    """Clusters with a feed each."""

    def __init__(self, **texts: str | Transient | BadInput) -> None:
        self.clock = TwinClock(NOW)
        self.states = MemoryLabHoursStates()
        self.feeds = Feeds(dict(texts))
        self.read: list[str] = []
        self.takes: dict[str, float] = {}
        self.timetables = Timetables(self.feeds, self.states, self.clock, self.begin)

    def begin(self, text: str, cluster: str, now: float, most_seats: int | None) -> "Rig.Read":
        self.read.append(cluster)
        return Rig.Read(self, text, cluster)

    @dataclass
    class Read:
        """A reading that takes its time by the clock."""

        rig: "Rig"
        text: str
        cluster: str

        def timetable(self) -> Timetable:
            takes = self.rig.takes.get(self.cluster, 0.1)
            self.rig.clock.sleep(min(takes, 15))
            if takes > 15:
                raise Overran("timetable", "took over 15 s to read; give a feed of the labs only")
            return read_timetable(self.text, self.cluster, NOW)

    def refresh(self) -> Refreshed:
        self.read.clear()
        return self.timetables.refresh(
            [Wanted(name, name, None, self.states.read_state(name)) for name in self.feeds.texts]
        )

    def labs(self) -> dict[str, int]:
        return {name: len(self.states.read_state(name).bookings) for name in self.feeds.texts}


def test_each_clusters_feed_is_read_into_its_own_notes() -> None:
    rig = Rig(a=GOOD, b=feed(event(*ONCE, uid="1"), event(*ONCE, uid="2")))

    refreshed = rig.refresh()

    assert rig.labs() == {"a": 1, "b": 2}
    assert refreshed.endings == {"a": {Ending.BOOKED: 1}, "b": {Ending.BOOKED: 2}}
    assert rig.refresh().changed == {}


def test_a_problem_with_one_feed_is_named_and_the_others_are_read() -> None:
    rig = Rig(
        a=Transient("the timetable's server answered 500"),
        b=BadInput("timetable", "is 'ftp://x'; give an https URL, or ssm:/name"),
        c="<html></html>",
        d=GOOD,
    )

    refreshed = rig.refresh()

    assert rig.labs() == {"a": 0, "b": 0, "c": 0, "d": 1}
    assert refreshed.unread == {
        "a": "the last good copy is used: the timetable's server answered 500",
        "b": "the last good copy is used: timetable: is 'ftp://x'; give an https URL, or ssm:/name",
    }
    (problem,) = rig.states.read_state("c").problems
    assert problem.startswith("the last good copy is used: timetable: is a web page")


def test_a_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetables, "FETCH_S", 0.2)
    rig = Rig(a=GOOD, b=GOOD)
    rig.feeds.slow["a"] = threading.Event()
    try:
        refreshed = rig.refresh()
    finally:
        rig.feeds.slow["a"].set()

    assert rig.labs() == {"a": 0, "b": 1}
    assert refreshed.unread == {
        "a": "the last good copy is used: the timetable's server took over 0.2 s"
    }


def test_a_feed_that_had_to_be_ended_is_read_last_and_rarely() -> None:
    rig = Rig(a=GOOD, b=GOOD)
    rig.takes["a"] = 100

    rig.refresh()
    (problem,) = rig.states.read_state("a").problems
    assert problem == (
        "the last good copy is used: timetable: took over 15 s to read; "
        "give a feed of the labs only"
    )
    # A feed that changes each minute takes no more time than one that does not.
    for minute in range(9):
        rig.feeds.texts = {"a": f"{GOOD}\r\n{minute}", "b": f"{GOOD}\r\n{minute}"}
        rig.refresh()
        assert rig.read == ["b"]
        rig.clock.sleep(60)

    rig.clock.sleep(REST_S)
    rig.feeds.texts = {"a": f"{GOOD}\r\n", "b": f"{GOOD}\r\n"}
    rig.takes.clear()
    rig.refresh()
    assert rig.read == ["b", "a"]
    assert rig.labs() == {"a": 1, "b": 1}
    assert rig.states.read_state("a").problems == ()


def test_no_reading_begins_when_the_minute_has_no_time_for_it() -> None:
    names = [f"c{number}" for number in range(6)]
    rig = Rig(**dict.fromkeys(names, GOOD))
    rig.takes = dict.fromkeys(names[:4], 14)
    begun = rig.clock.now()

    refreshed = rig.refresh()

    assert rig.read == ["c0", "c1"]
    assert rig.clock.now() - begun <= LATEST_S + 15
    assert list(refreshed.unread) == ["c2", "c3", "c4", "c5"]
    # These are the first of the next minute.
    rig.refresh()
    assert rig.read == ["c2", "c3"]


def test_notes_that_cannot_be_kept_stop_no_other_cluster() -> None:
    rig = Rig(a=GOOD, b=GOOD)
    write = rig.states.write_state

    def refuse_a(cluster: str, state: LabHoursState) -> None:
        if cluster == "a":
            raise Transient("DynamoDB is throttled")
        write(cluster, state)

    rig.states.write_state = refuse_a  # type: ignore[method-assign]
    refreshed = rig.refresh()

    assert rig.labs() == {"a": 0, "b": 1}
    assert refreshed.unread == {"a": "the last good copy is used: DynamoDB is throttled"}


def test_the_largest_timetable_fits_into_the_notes() -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: 400 KB."""
    labs = (event(*ONCE, uid=str(number), summary="🧪" * 100) for number in range(1000))
    text = feed(*labs)
    read = read_timetable(text, "a", NOW, elapsed_s=lambda: 0.0)

    assert len(read.bookings) == 1000
    state = LabHoursState(bookings=read.bookings, problems=("x" * 400,) * 21).to_json()
    assert len(state.encode()) < 400_000
    assert LabHoursState.parse(state).bookings == read.bookings


def test_notes_of_another_version_are_read() -> None:
    written = LabHoursState(node_seats=7).to_json()

    assert LabHoursState.parse(written.replace("{", '{"new": 1, ', 1)) == LabHoursState(
        node_seats=7
    )


# The process that a feed is read in.


def endless(*_: object) -> Timetable:
    while True:
        pass


def crash(*_: object) -> Timetable:
    os._exit(1)


@pytest.fixture
def processes() -> Iterator[None]:
    """Nothing is left behind: no thread and no process, also none that has ended."""
    before = threading.active_count(), children()
    yield
    assert (threading.active_count(), children()) == before


def children() -> set[str]:
    """Return the process ids of this process's children, also of those that nobody waited for."""
    of_threads = Path("/proc/self/task").glob("*/children")
    return {child for of_thread in of_threads for child in of_thread.read_text().split()}


@pytest.mark.usefixtures("processes")
def test_a_reading_that_does_not_end_is_ended() -> None:
    begun = time.monotonic()

    with pytest.raises(Overran, match=r"took over 0[.]3 s to read; give a feed"):
        Reading(GOOD, "lab", NOW, None, endless).timetable(within_s=0.3)

    assert time.monotonic() - begun < 10


@pytest.mark.usefixtures("processes")
def test_a_reading_that_crashes_its_process_is_a_problem() -> None:
    with pytest.raises(Overran, match="ended the process that read it"):
        Reading(GOOD, "lab", NOW, None, crash).timetable()


@pytest.mark.usefixtures("processes")
def test_a_process_of_its_own_reads_the_same() -> None:
    text = feed(event(*ONCE, seats="seats: 20"), event(*ONCE, uid="2", seats=None))

    assert Reading(text, "lab", NOW, 12).timetable() == read_timetable(text, "lab", NOW, 12)
    with pytest.raises(BadInput, match=r"^timetable: is empty; give"):
        Reading("", "lab", NOW).timetable()
