"""A class as the page for instructors shows it: its values, its looks, and the waves before it."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from labswarm.errors import Transient
from labswarm.lab_hours.booked_labs import with_booked
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import BookingsRead, StoredBooking
from labswarm.lab_hours.group_labs import WARM_UP_S
from labswarm.lab_hours.state import LabHoursState
from labswarm.snapshot import NodeSeen, Snapshot
from labswarm_labs.live import LiveClass, live_class
from labswarm_labs.warm_up import WAVE, Waves, exams_on, foreign_servers, warming
from labswarm_labs.watching import Watching

NOW = datetime(2026, 12, 8, 14, 0, tzinfo=UTC).timestamp()
BOOKING = StoredBooking(
    id="physics0",
    cluster="lab",
    title="Physics",
    start="2026-12-08T14:00",
    end="2026-12-08T16:00",
    time_zone="UTC",
    seats=30,
    created_by="curie",
    group="physics",
)
CLASS = [f"student-{number:02}" for number in range(1, 31)]


def server(began_s_ago: float, **about: Any) -> dict[str, Any]:
    at = datetime.fromtimestamp(NOW - began_s_ago, UTC).isoformat()
    return {"ready": False, "pending": None, "started": at, "last_activity": at, **about}


def user(name: str, **about: Any) -> dict[str, Any]:
    return {"name": name, "servers": {"": server(**about)}}


def node(name: str, used: int, **about: Any) -> NodeSeen:
    values = {"state": "ready", "availability": "active", "seats": 7, "created_at": "2026"}
    return NodeSeen(node_id=name, instance_id=f"i-{name}", seats_used=used, **{**values, **about})


def seen(**changes: Any) -> LiveClass:
    values: dict[str, Any] = {
        "group": "physics",
        "members": ["eve", "ada", "bob"],
        "active": [],
        "snapshot": None,
        "launching": 0,
        "node_seats": 7,
        "start_s": 140.0,
        "labs": [],
        "now": NOW,
    }
    return live_class(**{**values, **changes})


@pytest.mark.parametrize(
    ("about", "state"),
    [
        ({"began_s_ago": 5, "pending": "spawn"}, "starting"),
        ({"began_s_ago": 25, "pending": "spawn"}, "waits"),
        ({"began_s_ago": 900, "ready": True}, "running"),
        ({"began_s_ago": 900, "ready": True, "pending": "stop"}, "stopping"),
    ],
)
def test_a_student_has_the_state_of_the_server(about: dict[str, Any], state: str) -> None:
    students = {one.name: one.state for one in seen(active=[user("ada", **about)]).students}

    assert students == {"ada": state, "bob": "absent", "eve": "absent"}


def test_a_user_who_is_not_in_the_group_is_not_in_the_class() -> None:
    live = seen(active=[user("mallory", began_s_ago=5, ready=True)])

    assert [one.name for one in live.students] == ["ada", "bob", "eve"]


def test_seats_are_those_of_open_nodes_and_each_node_has_its_state_in_words() -> None:
    nodes = (
        node("a", 7),
        node("b", 2),
        node("c", 3, availability="pause"),
        node("d", 0, state="down"),
        node("e", 0, unfit=True),
    )
    snapshot = Snapshot("lab", NOW - 4, nodes, running=12, waiting=2, waiting_since=NOW - 30)

    live = seen(snapshot=snapshot, launching=2)

    assert (live.seats, live.used, live.coming, live.waiting) == (21, 9, 14, 2)
    assert [one.state for one in live.nodes] == [
        *("open", "open", "takes no new students", "lost", "starts no servers"),
    ]
    assert (live.waiting_since, live.seen_at) == (NOW - 30, NOW - 4)


def test_the_lab_is_the_one_that_runs_or_the_next_one() -> None:
    over, runs = Booking("over", NOW - 99, NOW, 3), Booking("runs", NOW - 9, NOW + 9, 3)

    assert seen(labs=[over, runs]).lab == runs
    assert seen(labs=[over]).lab is None


def test_350_students_are_read_by_as_many_calls_as_three_and_for_one_page_as_for_ten() -> None:
    calls: list[str] = []

    async def look(group: str) -> str:
        calls.append(group)
        students = [f"student-{number:03}" for number in range(350)]
        active = [user(name, began_s_ago=60, ready=True) for name in students]
        return seen(members=students, active=active).to_json()

    async def scenario() -> list[str | None]:
        watching = Watching(look, every_s=0.01)
        pages = [watching.watch("physics") for _ in range(10)]
        first = await asyncio.gather(*(anext(page) for page in pages))
        looks = len(calls)
        for page in pages:
            await page.aclose()
        assert looks <= 2, "all pages share a look"
        return list(first)

    texts = asyncio.run(scenario())

    assert len(set(texts)) == 1
    assert len(json.loads(texts[0] or "")["students"]) == 350


def test_a_class_that_nobody_watches_is_not_looked_at() -> None:
    calls: list[str] = []

    async def look(group: str) -> str:
        calls.append(group)
        return str(len(calls))

    async def scenario() -> None:
        watching = Watching(look, every_s=0.001)
        page = watching.watch("physics")
        assert await anext(page) == "1"
        assert await anext(page) == "2", "it is told of what has changed"
        await page.aclose()
        while asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.sleep(0.001)
        assert await anext(watching.watch("physics"))

    asyncio.run(scenario())


def test_a_look_that_fails_keeps_the_last_one_and_the_next_is_shown() -> None:
    answers: list[str | Exception] = ["first", Transient("the hub is away"), "second"]

    async def look(group: str) -> str:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def scenario() -> list[str | None]:
        page = Watching(look, every_s=0.001).watch("physics")
        return [await anext(page), await anext(page)]

    assert asyncio.run(scenario()) == ["first", "second"]


# The servers before the bell


def test_servers_start_in_the_minutes_before_the_bell_and_not_after_it() -> None:
    assert warming([BOOKING], NOW - WARM_UP_S - 1) == []
    assert [lab.starts for lab in warming([BOOKING], NOW - WARM_UP_S + 1)] == [NOW]
    assert [lab.starts for lab in warming([BOOKING], NOW - 1)] == [NOW]
    assert warming([BOOKING], NOW) == []


def test_a_booking_without_a_group_or_without_the_wish_is_not_warmed_up() -> None:
    assert warming([replace(BOOKING, warm_up=False)], NOW - 60) == []
    assert warming([replace(BOOKING, group=None)], NOW - 60) == []


def test_a_wave_is_within_the_free_seats_and_starts_nobody_twice() -> None:
    waves, (lab,) = Waves(), warming([BOOKING], NOW - 60)

    first = waves.next(lab, CLASS, {"student-02"}, free=7)
    assert first == [*(f"student-{number:02}" for number in (1, 3, 4, 5, 6, 7, 8))]
    assert waves.next(lab, CLASS, {"student-02", *first}, free=0) == []
    second = waves.next(lab, CLASS, {"student-02"}, free=99)
    assert (len(second), set(first) & set(second)) == (WAVE, set())
    # 27 have started; with the one who came, the booking's 30 seats are no limit for the last two.
    assert waves.next(lab, CLASS, {"student-02"}, free=99) == ["student-29", "student-30"]


def test_no_more_servers_start_than_are_booked() -> None:
    waves, (lab,) = Waves(), warming([replace(BOOKING, seats=5)], NOW - 60)

    assert len(waves.next(lab, CLASS, set(), free=99)) == 5
    assert waves.next(lab, CLASS, set(), free=99) == []


def test_a_warmed_up_class_has_its_seats_before_the_bell() -> None:
    now = NOW - 3600

    def booked(booking: StoredBooking) -> float:
        (lab,) = with_booked(LabHoursState(), BookingsRead((booking,)), now, None).booked
        return lab.starts

    assert booked(BOOKING) == NOW - WARM_UP_S
    assert booked(replace(BOOKING, warm_up=False)) == NOW


EXAM = replace(BOOKING, options={"exam": "1"})


@pytest.mark.parametrize(
    ("seconds", "on"), [(-WARM_UP_S - 1, False), (-WARM_UP_S, True), (7199, True), (7200, False)]
)
def test_an_exam_is_on_from_its_warm_up_to_its_end(seconds: float, on: bool) -> None:
    assert bool(exams_on([EXAM], NOW + seconds)) is on
    assert exams_on([BOOKING], NOW + seconds) == []


def test_a_server_that_was_started_before_the_exam_ends_before_it() -> None:
    (exam,) = exams_on([EXAM], NOW)

    def user_with(name: str, **about: Any) -> dict[str, Any]:
        return {"name": name, "servers": {"": {"pending": None, "ready": True, **about}}}

    users = [
        user_with("student-01", user_options={}),
        user_with("student-02", user_options={"exam": exam.key}),
        user_with("student-03", user_options={"exam": "of last week"}),
        user_with("student-04", user_options={}, pending="stop"),
        user_with("somebody", user_options={}),
        user_with("student-06", user_options={}, pending="spawn", ready=False),
        {"name": "student-05", "servers": {}},
    ]

    assert foreign_servers(exam, CLASS, users) == ["student-01", "student-03"]
