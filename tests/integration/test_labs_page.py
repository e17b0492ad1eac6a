"""The page for instructors in a real JupyterHub: booking a lab, and everything that is refused."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from tests.support.labs_page import CLASS, CLUSTER, LabsPage, labs_page
from tests.support.running_emulator import RunningEmulator, running

from labswarm.lab_hours.booked_labs import labs_of
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
    with running(Settings(address="127.0.0.1", port=0, state_dir=state)) as started:
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
    curie = Instructor(labs, "curie")

    planned = curie.post("book", {**FORM, "repeat": "weekly", "until": f"{TOMORROW:%Y}-12-31"})

    assert planned.status_code == 200
    assert "Yes: all 60 students fit" in planned.text
    assert re.search(r"about \$\d+\.\d\d for \d+ labs?, nodes only", planned.text)
    assert "asked for from" in planned.text
    assert stored(labs) == []

    assert curie.books().status_code == 303
    assert stored(labs) == [("Physics 1", 60)]


def test_a_booking_is_the_lab_that_lab_hours_read(labs: LabsPage) -> None:
    Instructor(labs, "curie").books()

    read = labs.bookings.read_bookings(CLUSTER)
    starts = TOMORROW.replace(hour=14, minute=0, second=0, microsecond=0)
    (lab,) = labs_of(read.bookings, starts.timestamp() - 3600, starts.timestamp() + 3600)
    assert (lab.starts, lab.ends - lab.starts, lab.seats) == (starts.timestamp(), 7200, 60)
    assert read.bookings[0].created_by == "curie"


def test_the_page_shows_bookings_and_the_departments_calendar(labs: LabsPage) -> None:
    curie = Instructor(labs, "curie")
    curie.books(title="Physics <b>1</b>")

    text = curie.get().text

    assert "Physics &lt;b&gt;1&lt;/b&gt;" in text
    assert "<b>1</b>" not in text
    assert "Chemistry of the department" in text


def test_a_booking_is_changed_copied_and_cancelled(labs: LabsPage) -> None:
    curie = Instructor(labs, "curie")
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
    curie = Instructor(labs, "curie")
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
    answer = Instructor(labs, "curie").books(**changes)

    assert answer.status_code == 400
    assert sentence(answer).startswith(why)
    assert stored(labs) == []


def test_labs_that_are_together_over_the_limit_are_refused(labs: LabsPage) -> None:
    curie = Instructor(labs, "curie")
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
    curie = Instructor(labs, "curie")
    form = {**FORM, "confirmed": "yes"} | ({} if token is None else {"_xsrf": token})

    answer = curie.session.post(f"{labs.url}book", form, timeout=30, allow_redirects=False)

    assert answer.status_code == 403
    assert stored(labs) == []


def test_the_token_of_another_person_is_refused(labs: LabsPage) -> None:
    pasteur = re.search(r'xsrf_token: "([^"]+)"', Instructor(labs, "pasteur").home.text)
    curie = Instructor(labs, "curie")

    assert pasteur
    answer = curie.post("book", {**FORM, "confirmed": "yes", "_xsrf": pasteur.group(1)})

    assert answer.status_code == 403
    assert stored(labs) == []


def test_a_booking_of_another_group_can_neither_be_changed_nor_cancelled(labs: LabsPage) -> None:
    Instructor(labs, "curie").books()
    (booking,) = labs.bookings.read_bookings(CLUSTER).bookings
    one = {"id": booking.id, "version": "1"}
    pasteur = Instructor(labs, "pasteur")

    assert "Physics 1" in pasteur.home.text or "Physics 1" in pasteur.get().text
    assert pasteur.get(f"book?id={booking.id}").status_code == 403
    assert pasteur.books(group="chemistry", **one).status_code == 403
    assert pasteur.post("cancel", one).status_code == 403
    assert stored(labs) == [("Physics 1", 60)]


def test_an_admin_books_for_each_group_and_for_none(labs: LabsPage) -> None:
    admin = Instructor(labs, "admin")

    assert admin.books(group="chemistry").status_code == 303
    assert admin.books(group="").status_code == 303
    unknown = admin.books(group="nobody")
    assert sentence(unknown).startswith("group: there is no 'nobody' at the hub; choose another")


def test_a_calendar_is_read_at_its_secret_address_and_at_no_other(labs: LabsPage) -> None:
    curie = Instructor(labs, "curie")
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
    curie = Instructor(labs, "curie")
    curie.books(title="Logged")
    (booking,) = labs.bookings.read_bookings(CLUSTER).bookings
    curie.post("cancel", {"id": booking.id, "version": "1"})

    log = labs.log()
    assert "curie booked {" in log
    assert "curie cancelled {" in log
