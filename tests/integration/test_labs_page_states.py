"""Each state of the page for instructors in a browser: its words, whether everybody can use it, and
how it looks, light and dark, wide and narrow."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page
from tests.support.labs_page import CLASS, CLUSTER, LabsPage, labs_page
from tests.support.running_emulator import RunningEmulator, running
from tests.support.student_page import AXE, CHROMIUM, SCREENSHOTS, WIDTHS, chromium, expect

from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.snapshot import NodeSeen, Snapshot
from labswarm_emulator.emulator import Settings

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
    pytest.mark.skipif(not (CLASS / "bin/python").exists(), reason="no JupyterHub here"),
]
STUDENTS = [f"student-{number:03}" for number in range(1, 351)]
WITH_SERVER = STUDENTS[:3]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    state = tmp_path_factory.mktemp("emulator")
    with running(Settings(address="127.0.0.1", port=0, state_dir=state)) as started:
        yield started


@pytest.fixture(scope="module")
def labs(emulator: RunningEmulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabsPage]:
    groups = {"physics": {"users": STUDENTS}, "physics-staff": {"users": ["curie"]}}
    folder = tmp_path_factory.mktemp("hub")
    with labs_page(folder, emulator, groups, {"physics": ["physics-staff"]}) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(params=["light", pytest.param("dark", marks=pytest.mark.deep)])
def curie(request: pytest.FixtureRequest, labs: LabsPage, browser: Browser) -> Iterator[Page]:
    """The instructor, logged in, with a browser in one of the two themes."""
    scheme: Literal["light", "dark"] = request.param
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": WIDTHS[0], "height": 900},
        timezone_id="Europe/Berlin",
    )
    page = context.new_page()
    page.goto(f"{labs.site}/hub/login?next=/services/labs/")
    page.fill("#username_input", "curie")
    page.fill("#password_input", "x")
    page.click("#login_submit")
    expect(page.get_by_role("heading", name="Labs", exact=True)).to_be_visible(timeout=60_000)
    yield page
    context.close()


def looked_at(page: Page, name: str, request: pytest.FixtureRequest) -> None:
    """Check the page with axe, and keep pictures of it in each width."""
    page.add_script_tag(path=AXE)
    found: list[str] = page.evaluate(
        """async () => (await axe.run(".labs")).violations
            .filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => `${one.id}: ${one.nodes.map(node => node.html).join(' ')}`)"""
    )
    assert found == []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    theme = request.node.callspec.params["curie"]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"the page is {overflow} px wider than {width} px"
        page.screenshot(path=SCREENSHOTS / f"labs-{name}-{theme}-{width}.png")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


def fill(page: Page, **values: str) -> None:
    tomorrow = datetime.now() + timedelta(days=1)
    given = {
        "title": "Physics 1",
        "date": f"{tomorrow:%Y-%m-%d}",
        "starts": "14:00",
        "ends": "16:00",
        "until": f"{tomorrow + timedelta(weeks=10):%Y-%m-%d}",
        "seats": "60",
    }
    page.select_option("#repeat", "weekly")
    page.select_option("#group", "physics")
    for name, value in {**given, **values}.items():
        page.fill(f"#{name}", value)


def test_a_lab_is_booked_with_the_page_only(
    labs: LabsPage, curie: Page, request: pytest.FixtureRequest
) -> None:
    for booking in labs.bookings.read_bookings(CLUSTER).bookings:
        labs.bookings.remove_booking(booking)
    curie.get_by_role("link", name="Book a lab").first.click()
    expect(curie.locator("#time_zone")).to_have_value("Europe/Berlin")
    fill(curie)
    looked_at(curie, "form", request)

    curie.get_by_role("button", name="Will it fit?").click()
    expect(curie.locator("#verdict")).to_contain_text("Yes: all 60 students fit", timeout=60_000)
    expect(curie.get_by_text("for 11 labs, nodes only")).to_be_visible()
    looked_at(curie, "plan", request)

    curie.get_by_role("button", name="Book it").click()
    expect(curie.get_by_role("status")).to_contain_text("The lab is booked.")
    expect(curie.get_by_role("cell", name="Physics 1").first).to_be_visible()
    looked_at(curie, "overview", request)

    curie.on("dialog", lambda dialog: dialog.accept())
    curie.get_by_role("button", name="Cancel Physics 1").click()
    expect(curie.get_by_role("status")).to_contain_text("The booking is cancelled.")
    assert labs.bookings.read_bookings(CLUSTER).bookings == ()


def test_a_refusal_is_read_out_and_keeps_what_was_typed(
    curie: Page, request: pytest.FixtureRequest
) -> None:
    curie.get_by_role("link", name="Book a lab").first.click()
    fill(curie, seats="350")
    curie.get_by_role("button", name="Will it fit?").click()

    expect(curie.get_by_role("alert")).to_contain_text("the cluster has 140 at most")
    expect(curie.locator("#seats")).to_have_attribute("aria-invalid", "true")
    expect(curie.locator("#title")).to_have_value("Physics 1")
    looked_at(curie, "refused", request)


@pytest.fixture
def started(labs: LabsPage, emulator: RunningEmulator) -> Iterator[None]:
    """Three of the 350 students have a server, on the second of two nodes."""
    snapshots = DynamoSnapshots(emulator.client("dynamodb"), "labswarm-snapshots")
    nodes: list[Any] = [
        NodeSeen(name, f"i-0123456789abcdef{at}", "ready", availability, 7, used, f"2026-12-0{at}")
        for at, (name, availability, used) in enumerate(
            (("n1", "pause", 2), ("n2", "active", 3)), 1
        )
    ]
    now = datetime.now().timestamp()
    snapshots.write_snapshot(
        Snapshot(CLUSTER, now, tuple(nodes), running=5, waiting=1, waiting_since=now - 40)
    )
    for student in WITH_SERVER:
        labs.hub("POST", f"/users/{student}/server")
    yield
    for student in WITH_SERVER:
        labs.hub("DELETE", f"/users/{student}/server")


def test_a_class_of_350_is_seen_and_the_students_who_have_not_started_are_found(
    started: None, curie: Page, request: pytest.FixtureRequest
) -> None:
    curie.get_by_role("link", name="physics", exact=True).click()

    works = curie.get_by_role("button", name="works")
    expect(works).to_contain_text("(3)", timeout=60_000)
    expect(curie.locator("#waiting")).to_contain_text("1, for")
    expect(curie.locator("#nodes")).to_contain_text("takes no new students")
    absent = curie.get_by_role("button", name="has not started")
    expect(absent).to_contain_text("(347)")
    absent.focus()
    curie.keyboard.press("Enter")
    expect(absent).to_have_attribute("aria-pressed", "true")
    expect(curie.locator("#students tr:visible")).to_have_count(347)
    works.click()
    expect(curie.locator("#students tr:visible")).to_have_count(3)
    looked_at(curie, "live", request)
