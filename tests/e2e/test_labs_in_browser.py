"""An instructor at a browser books a lab on the real lab, and its nodes come before the bell."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page
from tests.e2e.conftest import LabUnderTest
from tests.support.labs import open_on_all_sides
from tests.support.student_page import CHROMIUM, chromium, expect

from labswarm_lab.hub import INSTRUCTOR, STUDENTS

pytestmark = [
    pytest.mark.swarm,
    pytest.mark.deep,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
SEATS = 12
AHEAD = timedelta(minutes=3)


@pytest.fixture
def instructor(lab: LabUnderTest) -> Iterator[Page]:
    """The instructor, logged in at the hub."""
    site = lab.status()["hub"]["url"]
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{site}/hub/login?next=/services/labs/")
        page.fill("#username_input", INSTRUCTOR)
        page.fill("#password_input", "x")
        page.click("#login_submit")
        expect(page.get_by_role("heading", name="Labs", exact=True)).to_be_visible(timeout=60_000)
        yield page


def test_a_lab_that_is_booked_minutes_ahead_has_its_nodes_at_the_bell(
    lab: LabUnderTest, instructor: Page
) -> None:
    bell = datetime.now(UTC).replace(second=0, microsecond=0) + AHEAD
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

    lab.eventually(
        "a node more is open",
        lambda seen: sum(map(open_on_all_sides, seen["nodes"])) >= 2,
        within_s=(bell - datetime.now(UTC)).total_seconds() + 60,
    )
