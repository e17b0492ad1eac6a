"""The page for instructors behind its pages: its bookings, its form, and who may change them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from tests.twins.bookings import MemoryBookings

from labswarm.errors import BadInput, Permanent, Transient
from labswarm.lab_hours.booking_rules import refuse_unfit
from labswarm.lab_hours.bookings import BookingsRead, StoredBooking
from labswarm_labs.classes import Classes
from labswarm_labs.forms import REPEATS, Form, copy_of, empty_form, form_of
from labswarm_labs.hub import Hub
from labswarm_labs.people import Person
from labswarm_labs.service import Changed, Labs
from labswarm_labs.start_waves import WarmUp

NOON = datetime(2026, 12, 8, 12, 0, tzinfo=UTC).timestamp()
MOST_SEATS = 40
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
WEEKLY = replace(BOOKING, id="weekly00", rrule="FREQ=WEEKLY;UNTIL=20270105")


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> float:
        return self.at

    def set(self, hour: int, minute: int = 0, second: int = 0) -> None:
        self.at = datetime(2026, 12, 8, hour, minute, second, tzinfo=UTC).timestamp()


class LabsOfOneCluster(Labs):
    """A cluster whose limit is known without AWS, and whose timetable is empty."""

    def refuse_unfit(self, booking: StoredBooking) -> None:
        refuse_unfit(booking, self._others(booking), (), self.now(), MOST_SEATS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def labs(clock: Clock) -> Labs:
    def no_client(service: str) -> Any:
        raise AssertionError(f"nothing here asks {service}")

    return LabsOfOneCluster("lab", MemoryBookings(), no_client, 3600, clock)


def booked(labs: Labs, *bookings: StoredBooking) -> list[StoredBooking]:
    return [labs.store(booking, "curie") for booking in bookings]


def times(labs: Labs) -> list[tuple[str, str, int]]:
    return [(one.start[11:], one.end[11:], one.seats) for one in labs.bookings()]


# Bookings


def test_bookings_come_by_their_next_lab_and_those_of_the_past_last_the_latest_first(
    labs: Labs,
) -> None:
    days = {
        "soon": "2026-12-09",
        "later": "2026-12-15",
        "past": "2026-12-01",
        "older": "2026-11-24",
    }
    for name, day in days.items():
        booked(labs, replace(BOOKING, id=f"{name}000", start=f"{day}T09:00", end=f"{day}T10:00"))

    assert [one.id[:-3] for one in labs.bookings()] == ["soon", "later", "past", "older"]


def test_a_booking_is_found_by_its_id_and_one_that_is_not_there_is_refused(labs: Labs) -> None:
    booked(labs, BOOKING, WEEKLY)

    assert labs.booking("weekly00").rrule == WEEKLY.rrule
    with pytest.raises(BadInput, match="'nobody00'; it may have been cancelled"):
        labs.booking("nobody00")


def test_a_long_id_is_shortened_in_the_answer(labs: Labs) -> None:
    with pytest.raises(BadInput, match=f"'{'x' * 40}';"):
        labs.booking("x" * 41)


def test_another_persons_change_keeps_the_maker_and_an_old_version_changes_nothing(
    labs: Labs,
) -> None:
    (first,) = booked(labs, BOOKING)
    second = labs.store(replace(first, seats=20, created_by="pasteur"), "pasteur")

    assert (second.created_by, second.seats, second.version) == ("curie", 20, 2)
    for act in (labs.store, labs.cancel):
        with pytest.raises(Changed, match="changed by somebody else"):
            act(first, "curie")
    labs.cancel(second, "curie")
    assert labs.bookings() == ()


def test_no_class_is_changed_while_none_runs(labs: Labs, clock: Clock) -> None:
    booked(labs, BOOKING)

    for hour in (13, 16):
        clock.set(hour)
        for act in (labs.extend, labs.raise_seats):
            with pytest.raises(BadInput, match="no lab of 'physics' runs now"):
                act("physics", 15, "curie")
        with pytest.raises(BadInput, match="no lab of 'physics' runs now"):
            labs.end("physics", "curie")


def test_a_class_is_extended_from_the_end_of_what_follows_on_it(labs: Labs, clock: Clock) -> None:
    booked(labs, BOOKING)
    clock.set(15, 50)

    labs.extend("physics", 15, "curie")
    labs.extend("physics", 30, "curie")

    assert sorted(times(labs)) == [
        ("14:00", "16:00", 30),
        ("16:00", "16:15", 30),
        ("16:15", "16:45", 30),
    ]
    assert {(one.group, one.warm_up) for one in labs.bookings() if one.id != BOOKING.id} == {
        ("physics", False)
    }


def test_another_groups_class_is_not_extended(labs: Labs, clock: Clock) -> None:
    booked(labs, BOOKING)
    clock.set(15)

    with pytest.raises(BadInput, match="'chemistry'"):
        labs.extend("chemistry", 15, "curie")


def test_seats_are_raised_from_the_next_minute_to_the_end_within_the_limit(
    labs: Labs, clock: Clock
) -> None:
    booked(labs, BOOKING)
    clock.set(15, 10, 20)

    labs.raise_seats("physics", 10, "curie")
    with pytest.raises(BadInput, match=f"has {MOST_SEATS} at most"):
        labs.raise_seats("physics", 1, "curie")

    assert sorted(times(labs)) == [("14:00", "16:00", 30), ("15:11", "16:00", 10)]


def test_a_class_that_is_ended_ends_in_the_next_minute(labs: Labs, clock: Clock) -> None:
    booked(labs, BOOKING)
    clock.set(15, 10, 20)

    labs.end("physics", "curie")

    assert times(labs) == [("14:00", "15:11", 30)]


def test_a_class_that_has_just_begun_is_ended_after_a_minute(labs: Labs, clock: Clock) -> None:
    booked(labs, BOOKING)
    clock.set(14)

    labs.end("physics", "curie")

    assert times(labs) == [("14:00", "14:01", 30)]


def test_a_repeated_class_that_is_ended_keeps_its_other_days(labs: Labs, clock: Clock) -> None:
    booked(labs, WEEKLY)
    clock.set(15)

    labs.end("physics", "curie")

    (left,) = labs.bookings()
    assert (left.exdates, left.end) == (("2026-12-08",), WEEKLY.end)


def test_labs_of_the_next_eight_days_are_planned_only_while_one_is_to_come(
    labs: Labs, clock: Clock
) -> None:
    clock.set(16)

    assert labs.plan(BOOKING) is None


# The form


def filled(**changes: str) -> Form:
    return Form({**form_of(BOOKING).values, "id": "", **changes})


def test_a_form_of_a_booking_gives_the_booking_again() -> None:
    for booking in (BOOKING, replace(WEEKLY, exdates=("2026-12-22",), profile="gpu", version=3)):
        assert form_of(booking).booking("lab", "curie") == booking


def test_each_new_booking_has_an_id_of_its_own() -> None:
    one, other = (filled().booking("lab", "curie") for _ in range(2))

    assert one.id != other.id
    assert replace(one, id=BOOKING.id) == BOOKING


def test_a_lab_over_midnight_ends_on_the_next_day() -> None:
    booking = filled(starts="22:00", ends="01:00").booking("lab", "curie")

    assert (booking.start, booking.end) == ("2026-12-08T22:00", "2026-12-09T01:00")


@pytest.mark.parametrize("repeat", REPEATS)
def test_each_repeat_has_its_rule_and_comes_back_in_the_form(repeat: str) -> None:
    booking = filled(repeat=repeat, until="2027-01-05").booking("lab", "curie")

    rule = REPEATS[repeat][1]
    assert booking.rrule == (f"{rule};UNTIL=20270105" if rule else None)
    assert form_of(booking).values["repeat"] == repeat


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"repeat": "monthly"}, "repeat", "choose one of the list"),
        ({"repeat": "weekly", "until": "soon"}, "until", "the day of the last lab"),
        ({"date": "tomorrow"}, "date", "write one like 2026-12-08"),
        ({"seats": "many"}, "seats", "write a whole number"),
        ({"seats": "1" * 10}, "seats", "write a whole number"),
        ({"seats": "٣"}, "seats", "write a whole number"),
        ({"version": "one"}, "version", "write a whole number"),
    ],
)
def test_a_field_that_is_wrong_is_named(changes: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        filled(**changes).booking("lab", "curie")
    assert refused.value.field == field


def test_the_days_left_out_are_apart_by_spaces_or_commas() -> None:
    days = filled(repeat="daily", until="2026-12-20", left_out="2026-12-09, 2026-12-10 2026-12-11")

    assert days.booking("lab", "curie").exdates == ("2026-12-09", "2026-12-10", "2026-12-11")


def test_a_form_keeps_its_own_fields_and_refuses_a_flood() -> None:
    form = Form.of({"title": " Physics ", "more": "no field"})

    assert form.values["title"] == "Physics"
    assert "more" not in form.values
    Form.of({"title": "x" * 2_000})
    with pytest.raises(BadInput, match="over 2000 characters"):
        Form.of({"title": "x" * 2_001})


def test_a_copy_is_a_new_booking_half_a_year_later_and_never_in_the_past() -> None:
    given = replace(WEEKLY, exdates=("2026-12-22",), version=3)

    copy = copy_of(given, date(2026, 12, 10)).values
    assert (copy["date"], copy["until"]) == ("2027-06-08", "2027-07-06")
    assert (copy["id"], copy["version"], copy["left_out"]) == ("", "0", "")
    assert copy["title"] == "Physics"
    assert copy_of(given, date(2027, 6, 8)).values["date"] == "2027-06-08"
    assert copy_of(given, date(2027, 6, 9)).values["date"] == "2027-12-07"
    assert copy_of(BOOKING, date(2026, 12, 10)).values["until"] == ""


def test_an_empty_form_is_a_single_lab_whose_servers_start_before_the_bell() -> None:
    values = {name: value for name, value in empty_form().values.items() if value}

    assert values == {"repeat": "once", "warm_up": "yes", "version": "0"}


# Persons


def person(*scopes: str) -> Person:
    return Person.of({"name": "curie", "scopes": scopes})


INSTRUCTOR = person("access:servers!group=physics", "read:users!group=chemistry")
ADMIN = person("admin-ui")


def test_the_groups_of_a_person_are_those_whose_servers_the_person_may_open() -> None:
    assert (INSTRUCTOR.groups, INSTRUCTOR.is_admin) == (frozenset({"physics"}), False)
    assert (ADMIN.groups, ADMIN.is_admin) == (frozenset(), True)


def test_a_booking_is_changed_by_everyone_who_teaches_its_group_and_by_admins() -> None:
    foreign = replace(BOOKING, group="chemistry")

    assert INSTRUCTOR.may_change(BOOKING)
    assert not INSTRUCTOR.may_change(foreign)
    assert ADMIN.may_change(foreign)


@pytest.mark.parametrize(
    ("who", "group", "words"),
    [
        (INSTRUCTOR, "physics", None),
        (INSTRUCTOR, "chemistry", "is not a group that you teach"),
        (INSTRUCTOR, None, "choose the group that you teach"),
        (ADMIN, "physics", None),
        (ADMIN, None, None),
        (ADMIN, "biology", "there is no 'biology' at the hub"),
    ],
)
def test_a_person_books_for_own_groups_and_an_admin_for_all_of_the_hub(
    who: Person, group: str | None, words: str | None
) -> None:
    booking = replace(BOOKING, group=group)
    if words is None:
        who.refuse_foreign(booking, ("physics", "chemistry"))
        return
    with pytest.raises(BadInput, match=words):
        who.refuse_foreign(booking, ("physics", "chemistry"))


# Servers before the bell


class HubOfClasses:
    """The hub's groups and servers; it refuses the starts of `refused`."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        self.groups = {"physics": ["ada", "bob", "eve"], "chemistry": ["dan"]}
        self.refused = refused
        self.started: dict[str, str | None] = {}

    async def members(self, group: str) -> list[str]:
        return self.groups[group]

    async def active(self) -> list[dict[str, Any]]:
        return [{"name": name} for name in self.started]

    async def start(self, user: str, profile: str | None = None) -> None:
        if user in self.refused:
            raise Permanent(f"no server for {user}")
        self.started[user] = profile


class SeatsOfClasses:
    def __init__(self, free: int) -> None:
        self.free = free
        self.asked = 0

    async def free_seats(self) -> int:
        self.asked += 1
        return self.free


def look(labs: Labs, hub: HubOfClasses, seats: SeatsOfClasses) -> None:
    asyncio.run(WarmUp(labs, cast("Classes", seats), cast("Hub", hub)).look())


def test_before_the_bell_each_students_server_starts_with_the_bookings_profile(
    labs: Labs, clock: Clock
) -> None:
    booked(labs, replace(BOOKING, profile="gpu"))
    hub, seats = HubOfClasses(), SeatsOfClasses(20)

    look(labs, hub, seats)
    assert (hub.started, seats.asked) == ({}, 0), "two hours before it nobody is asked"
    clock.set(13, 58)
    look(labs, hub, seats)

    assert hub.started == {"ada": "gpu", "bob": "gpu", "eve": "gpu"}


def test_classes_of_one_bell_share_the_free_seats(labs: Labs, clock: Clock) -> None:
    booked(labs, BOOKING, replace(BOOKING, id="chem0000", group="chemistry"))
    clock.set(13, 58)
    hub = HubOfClasses()

    look(labs, hub, SeatsOfClasses(3))

    # The first by id has one student; two seats are left.
    assert list(hub.started) == ["dan", "ada", "bob"]


def test_a_start_that_fails_leaves_the_others(labs: Labs, clock: Clock) -> None:
    booked(labs, BOOKING)
    clock.set(13, 58)
    hub = HubOfClasses(refused=["ada"])

    look(labs, hub, SeatsOfClasses(20))

    assert list(hub.started) == ["bob", "eve"]


def test_a_look_that_fails_is_followed_by_the_next(
    labs: Labs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked(labs, BOOKING)
    clock.set(13, 58)
    monkeypatch.setattr("labswarm_labs.start_waves.LOOK_S", 0)
    hub = HubOfClasses()

    class AwayOnce(SeatsOfClasses):
        async def free_seats(self) -> int:
            if not await super().free_seats() or self.asked == 1:
                raise Transient("AWS is away")
            return self.free

    seats = AwayOnce(20)

    async def scenario() -> None:
        task = asyncio.create_task(WarmUp(labs, cast("Classes", seats), cast("Hub", hub)).run())
        while len(hub.started) < 3:
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(scenario())
    assert seats.asked >= 2


def test_a_stored_booking_that_cannot_be_read_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class WithProblem(MemoryBookings):
        def read_bookings(self, cluster: str) -> BookingsRead:
            return replace(super().read_bookings(cluster), problems=("booking x has no title",))

    labs = Labs("lab", WithProblem(), lambda service: None, 3600, Clock())

    assert labs.bookings() == ()
    assert "booking x has no title" in caplog.text
