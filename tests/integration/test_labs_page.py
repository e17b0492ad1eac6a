"""The page for instructors in a real JupyterHub: booking a lab, and everything that is refused."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
import requests
from tests.support.labs_page import CLASS, CLUSTER, LabsPage, labs_page
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.running_emulator import running as running_emulator

from labswarm.aws.dynamodb import state
from labswarm.aws.dynamodb.reports import DynamoReports
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.lab_hours.booked_labs import labs_of
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.group_labs import AROUND_S, key_of_labs, parsed
from labswarm.lab_hours.state import Reasons
from labswarm.readiness.reports import Report
from labswarm.snapshot import NodeSeen, Snapshot
from labswarm_emulator.emulator import Settings

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(not (CLASS / "bin/python").exists(), reason="no JupyterHub here"),
]
GROUPS = {
    "physics": {"users": ["ada", "bob"]},
    "chemistry": {"users": ["eve"]},
    "physics-staff": {"users": ["curie"]},
    "chemistry-staff": {"users": ["pasteur"]},
}
INSTRUCTORS = {"physics": ["physics-staff"], "chemistry": ["chemistry-staff"]}
BERLIN = ZoneInfo("Europe/Berlin")
TOMORROW = datetime.now(BERLIN) + timedelta(days=1)
FORM = {
    "title": "Physics 1",
    "date": f"{TOMORROW:%Y-%m-%d}",
    "starts": "14:00",
    "ends": "16:00",
    "time_zone": "Europe/Berlin",
    "repeat": "once",
    "until": "",
    "left_out": "",
    "seats": "60",
    "group": "physics",
    "warm_up": "yes",
    "id": "",
    "version": "0",
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    state = tmp_path_factory.mktemp("emulator")
    with running_emulator(Settings(address="127.0.0.1", port=0, state_dir=state)) as started:
        yield started


@pytest.fixture(scope="module")
def page(emulator: RunningEmulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabsPage]:
    with labs_page(tmp_path_factory.mktemp("hub"), emulator, GROUPS, INSTRUCTORS) as started:
        yield started


@pytest.fixture
def labs(page: LabsPage) -> LabsPage:
    """The page without a booking."""
    for booking in page.bookings.read_bookings(CLUSTER).bookings:
        assert page.bookings.remove_booking(booking)
    return page


class Instructor:
    """A person at the page, without a browser's own help."""

    def __init__(self, labs: LabsPage, name: str) -> None:
        self._labs = labs
        self.session = labs.browser(name)
        self.home = self.session.get(labs.url, timeout=30)

    @classmethod
    @cache
    def of(cls, labs: LabsPage, name: str) -> "Instructor":
        """The person, who has logged in once for all tests of this hub."""
        return cls(labs, name)

    def get(self, path: str = "") -> requests.Response:
        return self.session.get(self._labs.url + path, timeout=30)

    def post(self, path: str, form: dict[str, str], **more: Any) -> requests.Response:
        token = re.search(r'xsrf_token: "([^"]+)"', self.home.text)
        assert token, self.home.text[:500]
        return self.session.post(
            self._labs.url + path,
            {"_xsrf": token.group(1), **form},
            timeout=60,
            allow_redirects=False,
            **more,
        )

    def books(self, **changes: str) -> requests.Response:
        """The answer to a form that is confirmed at once."""
        return self.post("book", {**FORM, **changes, "confirmed": "yes"})


def stored(labs: LabsPage) -> list[tuple[str, int]]:
    return [(one.title, one.seats) for one in labs.bookings.read_bookings(CLUSTER).bookings]


def sentence(answer: requests.Response) -> str:
    found = re.search(r'role="alert">([^<]*)<', answer.text)
    assert found, answer.text[:2000]
    return found.group(1).replace("&#39;", "'")


def test_an_instructor_sees_the_plan_before_the_booking_is_stored(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")

    planned = curie.post("book", {**FORM, "repeat": "weekly", "until": f"{TOMORROW:%Y}-12-31"})

    assert planned.status_code == 200
    assert "Yes: all 60 students fit" in planned.text
    assert re.search(r"about \$\d+\.\d\d for \d+ labs?, nodes only", planned.text)
    assert "asked for from" in planned.text
    assert stored(labs) == []

    assert curie.books().status_code == 303
    assert stored(labs) == [("Physics 1", 60)]


def test_a_booking_is_the_lab_that_lab_hours_read(labs: LabsPage) -> None:
    Instructor.of(labs, "curie").books()

    read = labs.bookings.read_bookings(CLUSTER)
    starts = TOMORROW.replace(hour=14, minute=0, second=0, microsecond=0)
    (lab,) = labs_of(read.bookings, starts.timestamp() - 3600, starts.timestamp() + 3600)
    assert (lab.starts, lab.ends - lab.starts, lab.seats) == (starts.timestamp(), 7200, 60)
    assert read.bookings[0].created_by == "curie"


def test_the_page_shows_bookings_and_the_departments_calendar(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")
    curie.books(title="Physics <b>1</b>")

    text = curie.get().text

    assert "Physics &lt;b&gt;1&lt;/b&gt;" in text
    assert "<b>1</b>" not in text
    assert "Chemistry of the department" in text


def test_the_last_check_is_shown_and_its_lines_to_admins_only(
    labs: LabsPage, emulator: RunningEmulator
) -> None:
    curie, admin = labs.browser("curie"), labs.browser("admin")
    before = curie.get(labs.url, timeout=20).text
    reports = DynamoReports(emulator.client("dynamodb"), state.TABLE)
    lines = ("lab: not ready, 1 finding", "hub: Its <last> snapshot is 9 min old.")
    reports.write_report(CLUSTER, Report(1_800_000_000, lines, 1), None)

    shown, to_admin = (one.get(labs.url, timeout=20).text for one in (curie, admin))

    assert "Last check" not in before
    assert "Fri 15 Jan 08:00 UTC" in shown
    assert "<strong>not ready</strong>" in shown
    assert "snapshot is 9 min old" not in shown
    assert "hub: Its &lt;last&gt; snapshot is 9 min old." in to_admin


def test_a_booking_is_changed_copied_and_cancelled(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")
    curie.books()
    (booking,) = labs.bookings.read_bookings(CLUSTER).bookings
    one = {"id": booking.id, "version": str(booking.version)}

    assert 'value="Physics 1"' in curie.get(f"book?id={booking.id}").text
    assert curie.books(seats="70", **one).status_code == 303
    assert stored(labs) == [("Physics 1", 70)]
    copied = curie.get(f"book?copy={booking.id}").text
    assert f'value="{TOMORROW + timedelta(weeks=26):%Y-%m-%d}"' in copied

    assert curie.post("cancel", one).status_code == 409, "that version is not the stored one"
    assert curie.post("cancel", {**one, "version": "2"}).status_code == 303
    assert stored(labs) == []


def test_two_editors_do_not_overwrite_each_other(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")
    curie.books()
    (booking,) = labs.bookings.read_bookings(CLUSTER).bookings
    one = {"id": booking.id, "version": "1"}
    curie.books(seats="70", **one)

    second = curie.books(seats="80", **one)

    assert second.status_code == 409
    assert "was changed by somebody else in the meantime" in sentence(second)
    assert stored(labs) == [("Physics 1", 70)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"date": "2020-01-01"}, "start: 2020-01-01 14:00 is in the past; give a time to come"),
        ({"seats": "0"}, "seats: is 0; it has to be a whole number, at least 1"),
        ({"seats": ""}, "seats: is ''; write a whole number"),
        ({"seats": "141"}, "seats: is 141, and the cluster has 140 at most; ask for fewer"),
        ({"group": "chemistry"}, "group: 'chemistry' is not a group that you teach"),
        ({"group": "nobody"}, "group: 'nobody' is not a group that you teach"),
        ({"group": ""}, "group: is empty; choose the group that you teach"),
        ({"title": ""}, "title: is ''; it has to be text"),
        ({"date": "tomorrow"}, "date: is 'tomorrow'; write one like 2026-12-08"),
        ({"time_zone": "Nowhere"}, "time_zone: is 'Nowhere'; write one like Europe/Berlin"),
        ({"repeat": "hourly"}, "repeat: is 'hourly'; choose one of the list"),
        ({"repeat": "weekly"}, "until: is ''; write the day of the last lab"),
        ({"profile": "gpu"}, "profile: there is no 'gpu'; choose another"),
        ({"id": "00000000deadbeef", "version": "3"}, "id: there is no booking '00000000deadbeef'"),
    ],
)
def test_a_booking_that_cannot_be_kept_is_refused_with_a_sentence(
    labs: LabsPage, changes: dict[str, str], why: str
) -> None:
    answer = Instructor.of(labs, "curie").books(**changes)

    assert answer.status_code == 400
    assert sentence(answer).startswith(why)
    assert stored(labs) == []


def test_labs_that_are_together_over_the_limit_are_refused(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")
    assert curie.books(seats="100").status_code == 303

    answer = curie.books(seats="50", starts="15:00", ends="17:00", title="Second")

    assert answer.status_code == 400
    assert "that makes 150, and the cluster has 140 at most" in sentence(answer)
    assert curie.books(seats="50", starts="16:00", ends="17:00").status_code == 303
    assert len(stored(labs)) == 2


def test_a_student_gets_no_page_and_can_book_nothing(labs: LabsPage) -> None:
    session = labs.browser("ada")

    answer = session.get(labs.url, timeout=30)

    assert answer.status_code == 403
    token = session.cookies.get("_xsrf", path="/hub/")
    forged = session.post(f"{labs.url}book", {**FORM, "_xsrf": token or ""}, timeout=30)
    assert forged.status_code == 403
    assert stored(labs) == []


@pytest.mark.parametrize("token", [None, "", "forged", "2|1:0|10:1|5:_xsrf|4:AAAA|aaaa"])
def test_a_form_without_the_pages_own_token_is_refused(labs: LabsPage, token: str | None) -> None:
    curie = Instructor.of(labs, "curie")
    form = {**FORM, "confirmed": "yes"} | ({} if token is None else {"_xsrf": token})

    answer = curie.session.post(f"{labs.url}book", form, timeout=30, allow_redirects=False)

    assert answer.status_code == 403
    assert stored(labs) == []


def test_the_token_of_another_person_is_refused(labs: LabsPage) -> None:
    pasteur = re.search(r'xsrf_token: "([^"]+)"', Instructor.of(labs, "pasteur").home.text)
    curie = Instructor.of(labs, "curie")

    assert pasteur
    answer = curie.post("book", {**FORM, "confirmed": "yes", "_xsrf": pasteur.group(1)})

    assert answer.status_code == 403
    assert stored(labs) == []


def test_a_booking_of_another_group_can_neither_be_changed_nor_cancelled(labs: LabsPage) -> None:
    Instructor.of(labs, "curie").books()
    (booking,) = labs.bookings.read_bookings(CLUSTER).bookings
    one = {"id": booking.id, "version": "1"}
    pasteur = Instructor.of(labs, "pasteur")

    assert "Physics 1" in pasteur.home.text or "Physics 1" in pasteur.get().text
    assert pasteur.get(f"book?id={booking.id}").status_code == 403
    assert pasteur.books(group="chemistry", **one).status_code == 403
    assert pasteur.post("cancel", one).status_code == 403
    assert stored(labs) == [("Physics 1", 60)]


def test_an_admin_books_for_each_group_and_for_none(labs: LabsPage) -> None:
    admin = Instructor.of(labs, "admin")

    assert admin.books(group="chemistry").status_code == 303
    assert admin.books(group="").status_code == 303
    unknown = admin.books(group="nobody")
    assert sentence(unknown).startswith("group: there is no 'nobody' at the hub; choose another")


def test_a_calendar_is_read_at_its_secret_address_and_at_no_other(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")
    curie.books(repeat="weekly", until=f"{TOMORROW + timedelta(weeks=3):%Y-%m-%d}")
    address = re.search(r'value="(http[^"]+\.ics)"', curie.get().text)
    assert address

    feed = requests.get(address.group(1), timeout=30)

    assert feed.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:Physics 1" in feed.text
    assert "BEGIN:VTIMEZONE" in feed.text
    assert "curie" not in feed.text
    wrong = re.sub(r"calendar/.{8}", "calendar/00000000", address.group(1))
    assert requests.get(wrong, timeout=30).status_code == 404


def test_who_booked_and_cancelled_is_in_the_log(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")
    curie.books(title="Logged")
    (booking,) = labs.bookings.read_bookings(CLUSTER).bookings
    curie.post("cancel", {"id": booking.id, "version": "1"})

    log = labs.log()
    assert "curie booked {" in log
    assert "curie cancelled {" in log


# The class that runs


def running(labs: LabsPage, group: str = "physics", **changes: Any) -> StoredBooking:
    """A class that runs for half an hour more."""
    now = datetime.now(BERLIN)
    written = labs.bookings.write_booking(
        StoredBooking(
            **{
                "id": "running0",
                "cluster": CLUSTER,
                "title": "Running",
                "start": f"{now - timedelta(minutes=30):%Y-%m-%dT%H:%M}",
                "end": f"{now + timedelta(minutes=30):%Y-%m-%dT%H:%M}",
                "time_zone": "Europe/Berlin",
                "seats": 60,
                "created_by": "curie",
                "group": group,
                **changes,
            }
        )
    )
    assert written
    return written


def live(answer: requests.Response) -> dict[str, Any]:
    found = re.search(r'id="class">(.*?)</script>', answer.text, re.DOTALL)
    assert found, answer.text[-3000:]
    seen: dict[str, Any] = json.loads(found.group(1))
    return seen


def states(seen: dict[str, Any]) -> dict[str, str]:
    return {student["name"]: student["state"] for student in seen["students"]}


def said(labs: LabsPage, answer: requests.Response) -> str:
    assert answer.status_code == 303, answer.text[:1000]
    return unquote(answer.headers["Location"].partition("said=")[2])


@pytest.fixture
def ada(labs: LabsPage) -> Iterator[None]:
    """Ada's server runs."""
    labs.hub("POST", "/users/ada/server")
    eventually(lambda: labs.hub("GET", "/users/ada")["servers"].get("", {}).get("ready"))
    yield
    labs.hub("DELETE", "/users/ada/server")
    eventually(lambda: not labs.hub("GET", "/users/ada")["servers"])


def test_an_instructor_sees_who_works_and_who_has_not_started(labs: LabsPage, ada: None) -> None:
    seen = live(Instructor.of(labs, "curie").get("live?group=physics"))

    assert states(seen) == {"ada": "running", "bob": "absent"}


def test_the_class_is_followed_by_events(labs: LabsPage, ada: None) -> None:
    curie = Instructor.of(labs, "curie")

    with curie.session.get(f"{labs.url}live/events?group=physics", stream=True, timeout=30) as news:
        line = next(line for line in news.iter_lines() if line.startswith(b"data: "))

    assert states(json.loads(line[6:]))["ada"] == "running"


@pytest.mark.parametrize("path", ["live", "live/events"])
def test_the_class_of_another_group_is_not_shown(labs: LabsPage, path: str) -> None:
    pasteur = Instructor.of(labs, "pasteur")

    assert pasteur.get(f"{path}?group=physics").status_code == 403
    assert pasteur.get(f"{path}?group=nobody").status_code == 403


def test_a_students_server_is_restarted_and_that_is_logged(labs: LabsPage, ada: None) -> None:
    curie = Instructor.of(labs, "curie")
    before = labs.hub("GET", "/users/ada")["servers"][""]["started"]

    answer = curie.post("live/restart", {"group": "physics", "student": "ada"})

    assert said(labs, answer) == "The server of ada starts again."
    eventually(lambda: labs.hub("GET", "/users/ada")["servers"].get("", {}).get("ready"))
    assert labs.hub("GET", "/users/ada")["servers"][""]["started"] != before
    assert "curie restarts the server of ada" in labs.log()


def test_a_students_server_is_opened_by_the_instructor_and_that_is_logged(
    labs: LabsPage, ada: None
) -> None:
    curie = Instructor.of(labs, "curie")

    answer = curie.post("live/open", {"group": "physics", "student": "ada"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/user/ada/")
    assert "curie opens the server of ada" in labs.log()


@pytest.mark.parametrize("path", ["live/open", "live/restart"])
def test_the_server_of_another_group_is_neither_opened_nor_restarted(
    labs: LabsPage, ada: None, path: str
) -> None:
    pasteur = Instructor.of(labs, "pasteur")

    for group in ("physics", "chemistry"):
        answer = pasteur.post(path, {"group": group, "student": "ada"})
        assert answer.status_code == 403, group


def test_a_class_is_extended_by_a_booking_of_its_own(labs: LabsPage) -> None:
    before = running(labs)
    curie = Instructor.of(labs, "curie")

    answer = curie.post("live/change", {"group": "physics", "do": "extend", "minutes": "30"})

    assert said(labs, answer) == "The class has 30 minutes more."
    (more,) = (one for one in labs.bookings.read_bookings(CLUSTER).bookings if one != before)
    assert (more.start, more.ends - more.starts) == (before.end, timedelta(minutes=30))
    assert (more.seats, more.group, more.warm_up) == (60, "physics", False)


def test_an_exam_is_extended_as_one(labs: LabsPage) -> None:
    before = running(labs, options={"exam": "1"})
    curie = Instructor.of(labs, "curie")

    answer = curie.post("live/change", {"group": "physics", "do": "extend", "minutes": "30"})

    assert said(labs, answer) == "The class has 30 minutes more."
    (after,) = labs.bookings.read_bookings(CLUSTER).bookings
    assert (after.id, after.ends - before.ends) == (before.id, timedelta(minutes=30))


def test_an_exam_is_booked_and_its_hub_reads_it_by_a_key(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")
    refused = curie.books(exam="yes", repeat="weekly", until=f"{TOMORROW:%Y}-12-31")
    assert sentence(refused) == "rrule: repeats an exam; book each exam by itself"
    assert curie.books(exam="yes").status_code == 303
    assert "Exam</span>" in curie.get().text

    url = f"{labs.url}groups.json"
    key = key_of_labs((labs.folder / "labs.token").read_text(), CLUSTER)
    for wrong in ({}, {"Authorization": "labswarm 0"}, {"Authorization": "labswarm \u00e9"}):
        headers = {name: value.encode() for name, value in wrong.items()}
        assert requests.get(url, headers=headers, timeout=20).status_code == 403
    answer = requests.get(url, headers={"Authorization": f"labswarm {key}"}, timeout=20)
    (lab,) = parsed(answer.text) or (None,)
    starts = TOMORROW.replace(hour=14, minute=0, second=0, microsecond=0).timestamp()
    if starts < time.time() + AROUND_S:
        assert lab is not None
        assert (lab.title, lab.group, lab.exam, lab.starts) == (
            "Physics 1",
            "physics",
            True,
            starts,
        )
    else:
        assert lab is None


def test_seats_are_raised_from_the_next_minute_and_within_the_limit(labs: LabsPage) -> None:
    running(labs)
    curie = Instructor.of(labs, "curie")
    change = {"group": "physics", "do": "raise"}

    refused = said(labs, curie.post("live/change", {**change, "seats": "81"}))
    assert refused.startswith("Not done. seats: is 81: with the other labs on")
    assert said(labs, curie.post("live/change", {**change, "seats": "80"})) == (
        "80 seats more are booked from the next minute on."
    )
    now = time.time()
    labs_now = labs_of(labs.bookings.read_bookings(CLUSTER).bookings, now, now + 120)
    assert sum(lab.seats for lab in labs_now) == 140


def test_the_end_of_a_class_stops_its_servers_and_keeps_its_other_weeks(
    labs: LabsPage, ada: None
) -> None:
    until = f"{datetime.now(BERLIN) + timedelta(weeks=4):%Y%m%d}"
    running(labs, rrule=f"FREQ=WEEKLY;UNTIL={until}")
    curie = Instructor.of(labs, "curie")
    end = {"group": "physics", "do": "end"}

    assert said(labs, curie.post("live/change", end)).startswith("Not done. sure: is not ticked")
    answer = curie.post("live/change", {**end, "sure": "yes"})

    assert said(labs, answer) == "The class is ended, and its servers stop."
    eventually(lambda: not labs.hub("GET", "/users/ada")["servers"])
    bookings = labs.bookings.read_bookings(CLUSTER).bookings
    now = time.time()
    assert labs_of(bookings, now, now + 3600) == []
    assert len(labs_of(bookings, now, now + 5 * 7 * 86_400)) == 4


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"do": "extend", "minutes": "30"}, "Not done. group: no lab of 'physics' runs now"),
        ({"do": "extend", "minutes": "-1"}, "Not done. number: is '-1'; write a whole number"),
        ({"do": "raise", "seats": "many"}, "Not done. number: is 'many'; write a whole number"),
        ({"do": "end", "sure": "yes"}, "Not done. group: no lab of 'physics' runs now"),
    ],
)
def test_a_class_that_does_not_run_is_not_changed(
    labs: LabsPage, form: dict[str, str], why: str
) -> None:
    answer = Instructor.of(labs, "curie").post("live/change", {"group": "physics", **form})

    assert said(labs, answer).startswith(why)
    assert stored(labs) == []


def test_a_message_that_is_empty_or_too_long_is_not_sent(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")

    for text, why in (
        (" ", "Not sent. message: is empty; write a sentence or two"),
        ("x" * 501, "Not sent. message: has 501 characters; write 500 at most"),
        ("\u202eevil", "Not sent. message: has the control character U+202E; delete it"),
    ):
        assert said(labs, curie.post("live/write", {"group": "physics", "text": text})) == why


def test_a_message_is_logged_with_its_sender_and_the_servers_that_missed_it(
    labs: LabsPage, ada: None
) -> None:
    curie = Instructor.of(labs, "curie")

    answer = curie.post("live/write", {"group": "physics", "text": "Please <b>save</b>."})

    # The server here is no Jupyter Server.
    assert said(labs, answer) == "Students who have it: 0. Servers that did not take it: 1."
    assert 'curie wrote to physics (0 servers, 1 missed): "Please <b>save</b>."' in labs.log()


def test_the_servers_of_a_booked_class_start_before_the_bell(
    labs: LabsPage, emulator: RunningEmulator
) -> None:
    now = time.time()
    node = NodeSeen("n1", "i-0123456789abcdef0", "ready", "active", 7, 0, "2026-12-01T00:00:00Z")
    snapshots = DynamoSnapshots(emulator.client("dynamodb"), "labswarm-snapshots")
    snapshots.write_snapshot(Snapshot(CLUSTER, now, (node,), running=0, waiting=0))
    bell = datetime.now(BERLIN) + timedelta(minutes=2)
    try:
        running(
            labs, start=f"{bell:%Y-%m-%dT%H:%M}", end=f"{bell + timedelta(hours=1):%Y-%m-%dT%H:%M}"
        )
        for student in ("ada", "bob"):
            eventually(
                lambda name=student: (
                    labs.hub("GET", f"/users/{name}")["servers"]  # type: ignore[misc]
                    .get("", {})
                    .get("ready")
                )
            )
        assert not labs.hub("GET", "/users/eve")["servers"], "of another group"
    finally:
        for booking in labs.bookings.read_bookings(CLUSTER).bookings:
            labs.bookings.remove_booking(booking)
        for student in ("ada", "bob"):
            labs.hub("DELETE", f"/users/{student}/server")
            eventually(lambda name=student: not labs.hub("GET", f"/users/{name}")["servers"])  # type: ignore[misc]


def test_an_admin_sees_alarms_decisions_and_machines_and_nobody_else_does(
    labs: LabsPage, emulator: RunningEmulator
) -> None:
    assert Instructor.of(labs, "curie").get("cluster").status_code == 403
    state = labs.states.read_state(CLUSTER)
    reasons = (Reasons(time.time() - 60, ("5 seats wanted: <b>3</b> running",)),)
    labs.states.write_state(CLUSTER, replace(state, decisions=reasons))
    cloudwatch = emulator.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="labswarm-StudentsWait",
        AlarmDescription="Students wait. Open docs/how-to/alarms.md#studentswait",
        MetricName="StudentsWait",
        Namespace="labswarm",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(
        AlarmName="labswarm-StudentsWait", StateValue="ALARM", StateReason="test"
    )

    page = Instructor.of(labs, "admin").get("cluster").text

    assert "5 seats wanted: &lt;b&gt;3&lt;/b&gt; running" in page
    assert "labswarm-StudentsWait, on for" in page
    assert "Open docs/how-to/alarms.md#studentswait" in page
    assert "Machines" in page


def test_the_form_of_a_link_makes_it_and_refuses_a_field(labs: LabsPage) -> None:
    curie = Instructor.of(labs, "curie")

    made = curie.get("link?repository=https://github.com/physics/labs&branch=main&file=a.ipynb")
    assert "/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com" in made.text
    refused = curie.get("link?repository=x&branch=main")
    assert refused.status_code == 400
    assert sentence(refused).startswith("repository: is 'x'; write an address like")
    assert "<script" not in sentence(curie.get("link?repository=<script>&branch=main"))
