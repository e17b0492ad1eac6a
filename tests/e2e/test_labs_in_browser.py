"""An instructor at a browser books a lab on the real lab. She sees its nodes come and its servers
start before the bell, the students go on when EC2 takes a node back, and so does she."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.e2e.conftest import LabUnderTest
from tests.support import interrupted
from tests.support.labs import open_on_all_sides
from tests.support.student_page import CHROMIUM, StudentPage, chromium, expect, within

from labswarm_lab.hub import CLASS, INSTRUCTOR, STUDENTS

pytestmark = [
    pytest.mark.swarm,
    pytest.mark.deep,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
SEATS = 12
STUDENT_NAMES = CLASS[:SEATS]
AHEAD = timedelta(minutes=5)
LOGIN_S = 3.0
"""From the login to the student's own page, as a class is promised it."""
BACK_S = 120.0


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def instructor(lab: LabUnderTest, browser: Browser) -> Page:
    """The instructor, logged in at the hub."""
    site = lab.status()["hub"]["url"]
    page = browser.new_page()
    page.goto(f"{site}/hub/login?next=/services/labs/")
    page.fill("#username_input", INSTRUCTOR)
    page.fill("#password_input", "x")
    page.click("#login_submit")
    expect(page.get_by_role("heading", name="Labs", exact=True)).to_be_visible(timeout=60_000)
    return page


def book(instructor: Page, bell: datetime) -> None:
    """Book a lab, with its plan first, and open its class."""
    ends = bell + timedelta(hours=1)
    instructor.get_by_role("link", name="Book a lab").first.click()
    instructor.fill("#title", "Physics 1")
    instructor.fill("#date", f"{bell:%Y-%m-%d}")
    instructor.fill("#starts", f"{bell:%H:%M}")
    instructor.fill("#ends", f"{ends:%H:%M}")
    instructor.fill("#time_zone", "UTC")
    instructor.fill("#seats", str(SEATS))
    instructor.select_option("#group", STUDENTS)
    instructor.get_by_role("button", name="Will it fit?").click()
    expect(instructor.locator("#verdict")).to_contain_text(f"all {SEATS} students", timeout=60_000)
    instructor.get_by_role("button", name="Book it").click()
    expect(instructor.get_by_role("status")).to_contain_text("The lab is booked.", timeout=30_000)
    instructor.get_by_role("link", name=STUDENTS, exact=True).click()


def open_nodes(instructor: Page) -> int:
    return instructor.locator("#nodes tr").filter(has_text="open").count()


def works(instructor: Page) -> str:
    return instructor.locator("button[data-state=running] .count").inner_text()


def states(instructor: Page) -> str:
    """The students by state, as she sees them."""
    return ", ".join(instructor.locator("button[data-state]").all_inner_texts())


def await_servers(lab: LabUnderTest, instructor: Page, seconds: float) -> None:
    """Wait until she sees all servers run; a failure has the states, and the page's own log."""
    try:
        within(seconds, lambda: works(instructor) == f"({SEATS})", "she sees all servers run")
    except AssertionError as late:
        (log,) = Path(lab.status()["homes"]).parent.glob("nodes/labs.log")
        raise AssertionError(f"{late}: {states(instructor)}\n{log.read_text()[-3000:]}") from late


def logged_in(site: str) -> dict[str, tuple[interrupted.Browser, float]]:
    """All students log in at once; each has a browser, and the seconds to the own page."""

    def one(student: str) -> tuple[interrupted.Browser, float]:
        begun = time.monotonic()
        return interrupted.Browser(site, student), time.monotonic() - begun

    with ThreadPoolExecutor(SEATS) as pool:
        return dict(zip(STUDENT_NAMES, pool.map(one, STUDENT_NAMES), strict=True))


def test_a_booked_class_is_there_at_the_bell_and_outlives_the_loss_of_a_node(
    lab: LabUnderTest, instructor: Page, browser: Browser
) -> None:
    site = lab.status()["hub"]["url"]
    bell = datetime.now(UTC).replace(second=0, microsecond=0) + AHEAD
    book(instructor, bell)

    def left_s() -> float:
        return (bell - datetime.now(UTC)).total_seconds()

    within(left_s(), lambda: open_nodes(instructor) >= 2, "she sees a second node")
    print(f"nodes are open {left_s():.0f} s before the bell")
    await_servers(lab, instructor, left_s())
    print(f"all servers run {left_s():.0f} s before the bell")

    time.sleep(max(0.0, left_s()))
    class_ = logged_in(site)
    seconds = sorted(took for _, took in class_.values())
    print("from login to the own page:", " ".join(f"{took:.1f}" for took in seconds), "s")
    begun = time.monotonic()
    StudentPage(browser, site, STUDENT_NAMES[0]).log_in()
    print(f"JupyterLab drawn in Chromium: {time.monotonic() - begun:.1f} s")
    assert seconds[-1] <= LOGIN_S

    full = max(
        (node for node in lab.status()["nodes"] if open_on_all_sides(node)),
        key=lambda node: node["seats_used"],
    )
    lab.must("interrupt", full["instance_id"])
    row = instructor.locator("#nodes tr").filter(has_text=full["instance_id"])
    took = within(30, lambda: row.filter(has_text="open").count() == 0, "she sees the node leave")
    print(f"she sees it after {took:.0f} s")
    with ThreadPoolExecutor(SEATS) as pool:
        took = within(
            BACK_S,
            lambda: all(pool.map(lambda one: one[0].has_server(), class_.values())),
            "all students go on",
        )
    print(f"all students have a server again after {took:.0f} s")
    await_servers(lab, instructor, 60)
