"""A feed is read however its calendar writes it."""

import contextlib

import pytest
from tests.support.feeds import NOW, ONCE, at, event, feed, read, starts

from labswarm.errors import BadInput
from labswarm.lab_hours.calendar_text import decoded
from labswarm.lab_hours.timetable import Ending, Timetable

LAB = feed(event(*ONCE, summary="Übung"))


def only(found: Timetable) -> tuple[str, int]:
    (lab,) = found.bookings
    assert found.problems == ()
    return lab.name, lab.seats


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_a_feed_is_read_in_each_encoding(encoding: str) -> None:
    assert only(read(decoded(LAB.encode(encoding)), NOW)) == ("Übung", 12)


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\r\n\r\n"])
def test_a_feed_is_read_with_each_line_break(line_break: str) -> None:
    assert only(read(LAB.replace("\r\n", line_break), NOW))[1] == 12


@pytest.mark.parametrize(
    "description",
    [
        "<span>seats:&nbsp;12</span><br>Room 3",
        "<b>seats:</b> 12",
        "<p><b>seats</b>: 12</p>",
        "Room 3\\nSEATS:12\\ncluster: LAB",
        "seats:\u200b 12",
        "Agenda:\\nseats: 12\\nnotes:",
        "Intro\r\nseats: 12",
        "Bring pens\\, paper\\; seats below\\nseats: 12",
    ],
)
def test_seats_are_found_in_descriptions_of_real_calendars(description: str) -> None:
    assert only(read(feed(event(*ONCE, seats=description)), NOW))[1] == 12


@pytest.mark.parametrize(
    "subject",
    [
        *("Canceled: Physics", "Cancelled: Physics", "CANCELED : Physics"),
        *("Abgesagt: Physik", "Annulé : physique"),
    ],
)
def test_a_meeting_that_exchange_cancels_by_its_subject_is_cancelled(subject: str) -> None:
    free = ("TRANSP:TRANSPARENT", "STATUS:CONFIRMED")
    found = read(feed(event(*ONCE, *free, summary=subject)), NOW)

    assert (found.bookings, found.problems) == ((), ())
    assert found.endings == {Ending.CANCELLED: 1}


def test_a_lab_that_is_shown_as_free_is_a_lab() -> None:
    """A lab's author may keep their own calendar free; that cancels nothing."""
    assert only(read(feed(event(*ONCE, "TRANSP:TRANSPARENT")), NOW))[1] == 12


def test_a_calendar_of_cancellations_cancels_its_events() -> None:
    assert read(feed(event(*ONCE), head=("METHOD:CANCEL",)), NOW).endings == {Ending.CANCELLED: 1}


def test_several_calendars_each_have_their_zone() -> None:
    floating = event("DTSTART:20261124T140000", "DURATION:PT1H")
    zones = ("Europe/Berlin", "America/New_York")
    text = "\ufeff".join(feed(floating, head=(f"X-WR-TIMEZONE:{zone}",)) for zone in zones)

    assert starts(read(text, NOW)) == [at("2026-11-24T14:00+01:00"), at("2026-11-24T14:00-05:00")]


def test_a_feed_that_is_cut_off_in_its_second_calendar_is_refused_as_a_whole() -> None:
    with pytest.raises(BadInput, match="is cut off inside VEVENT"):
        read(LAB + LAB[: LAB.index("END:VEVENT")], NOW)


def test_broken_lines_that_no_lab_needs_do_no_harm() -> None:
    head = ("X-WR-CALDESC:a line", "and its rest", "=?broken", "IMAGE;VALUE=URI;:x:y")
    alarm = ("BEGIN:VALARM", "TRIGGER:soon", "ACTION", "END:VALARM")
    other = ("ATTENDEE;CN=A: B:mailto:x", "GEO:here", "DTSTAMP:yesterday", "CREATED:x")
    todo = ("BEGIN:VTODO", "DUE:never", "END:VTODO")

    assert only(read(feed(event(*ONCE, *alarm, *other), *todo, head=head), NOW))[1] == 12


def test_a_broken_text_that_no_lab_needs_breaks_no_time() -> None:
    assert only(read(feed(event(*ONCE, "LOCATION:Room 3", "second floor")), NOW))[1] == 12


def test_a_time_that_is_cut_in_two_is_a_problem() -> None:
    one = event("DTSTART;TZID=Europe/Ber", "lin:20261124T140000", "DURATION:PT1H")

    assert "DTSTART is 'TZID=Europe/Ber', which" in read(feed(one), NOW).problems[0]


def test_parameters_that_break_the_rules_are_read() -> None:
    lines = (
        "DTSTART;VALUE=DATE-TIME;TZID=(UTC+01:00) Amsterdam, Berlin, Bern:20261124T140000",
        "DTEND ; TZID = (UTC+01:00) Amsterdam, Berlin, Bern:20261124T160000",
    )

    assert starts(read(feed(event(*lines)), NOW)) == [at("2026-11-24T14:00+01:00")]


def test_a_title_cannot_write_to_a_terminal_or_grow_without_end() -> None:
    (lab,) = read(feed(event(*ONCE, summary="\x1b[31mA\x07\u202e" + "b" * 10_000)), NOW).bookings

    assert lab.name.isprintable()
    assert len(lab.name) == 60


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCALENDAR" + "\n" * 900_000,
        "BEGIN:VCALENDAR\n" + "\n " * 400_000,
        "BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 100_000,
        feed(event(*ONCE, seats="<" * 400_000)),
        feed(event(*ONCE, seats="\\n" * 400_000)),
        feed(event(*ONCE, seats="&" * 400_000)),
        feed("X" + ";A=" * 300_000 + ":"),
        feed(event("DTSTART" + ";TZID=" * 100_000 + ":20261124T140000Z")),
        feed("\r\n".join(f"STRAY LINE {n}" for n in range(60_000))),
        "<html>" + "<title>" * 100_000,
    ],
    ids=range(10),
)
def test_a_hostile_text_is_refused_or_read_in_little_time(text: str) -> None:
    with contextlib.suppress(BadInput):
        read(text, NOW)
