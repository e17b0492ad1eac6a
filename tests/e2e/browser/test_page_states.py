"""Each state of a student's page: what is shown, to whom it can be read, and how it looks."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route
from tests.e2e.browser.student_page import CHROMIUM, StudentPage, chromium, expect, text
from tests.e2e.conftest import LabUnderTest

pytestmark = [
    pytest.mark.swarm,
    # Seven minutes for all states, in light and dark.
    pytest.mark.deep,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
AXE = Path(__file__).resolve().parents[3] / "hub/labextension/node_modules/axe-core/axe.min.js"
KINDS = {
    "interruption": "Your server is moving to another machine",
    "terminate": "The machine of your server goes out of service",
    "idle": "Your server is idle and stops soon",
    "home": "Your home is nearly full",
    "message": "A message from your instructor",
    "hub": "The hub goes down for a moment",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=["light", "dark"])
def page(
    request: pytest.FixtureRequest, lab: LabUnderTest, browser: Browser
) -> Iterator[StudentPage]:
    """A page in one of JupyterLab's two themes."""
    student = StudentPage(browser, lab.status()["hub"]["url"], "eve")
    student.choose_theme("JupyterLab Dark" if request.param == "dark" else "JupyterLab Light")
    student.save("notes.txt", text("first\n"))
    student.open("notes.txt")
    student.theme = request.param
    yield student
    student.close()


def told(page: StudentPage, answer: Any, status: int = 200) -> None:
    """The server has this answer from now on for each page that asks for a notice."""
    made = time.time()

    def fulfill(route: Route) -> None:
        body = answer
        if not isinstance(answer, str):
            passed = time.time() - made
            body = json.dumps({**answer, "now": answer.get("now", made) + passed})
        route.fulfill(status=status, content_type="application/json", body=body)

    page.page.unroute("**/labswarm/notice**")
    page.page.route("**/labswarm/notice**", fulfill)


def notice(kind: str, left_s: float | None, message: str = "Save your files.") -> dict[str, Any]:
    now = time.time()
    deadline = None if left_s is None else int(now + left_s)
    return {"notice": {"kind": kind, "deadline": deadline, "message": message}, "now": now}


def serious(page: StudentPage, selector: str) -> list[str]:
    """What axe finds in a part of the page that keeps somebody from using it."""
    if not page.page.evaluate("'axe' in window"):
        page.page.add_script_tag(path=AXE)
    found: list[str] = page.page.evaluate(
        """async selector => (await axe.run(selector)).violations
            .filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => `${one.id}: ${one.nodes.map(node => node.html).join(' ')}`)""",
        selector,
    )
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_notice_is_shown_and_can_be_used_without_a_mouse(
    page: StudentPage, kind: str
) -> None:
    banner = page.page.locator(".labswarm-banner")
    told(page, notice(kind, None if kind in ("home", "message") else 150))
    expect(banner).to_contain_text(KINDS[kind], timeout=30_000)
    expect(banner).to_contain_text("Save your files.")
    if kind not in ("home", "message"):
        expect(banner.locator(".labswarm-countdown")).to_contain_text("2 min")
    assert serious(page, ".labswarm-banner") == []
    page.screenshot(f"notice-{kind}-{page.theme}")

    hide = banner.get_by_role("button", name="Hide")
    hide.focus()
    page.page.keyboard.press("Enter")
    expect(banner).to_be_hidden()


@pytest.mark.parametrize(
    "rubbish",
    ["<html>", "[]", '{"notice": 7}', '{"notice": {"kind": "party", "message": "x"}}'],
)
def test_an_answer_that_makes_no_sense_shows_nothing(page: StudentPage, rubbish: str) -> None:
    with page.page.expect_request("**/labswarm/notice**", timeout=30_000):
        told(page, rubbish)
    page.page.wait_for_timeout(300)
    expect(page.page.locator(".labswarm-banner")).to_be_hidden()
    assert page.dialogs() == []


def test_a_message_with_markup_is_shown_as_text(page: StudentPage) -> None:
    markup = "<img src=x onerror=\"document.title='stolen'\"> & <b>bold</b>"
    told(page, notice("message", None, markup))
    banner = page.page.locator(".labswarm-banner")
    expect(banner).to_contain_text(markup, timeout=30_000)
    assert banner.locator("img, b").count() == 0
    assert page.page.title() != "stolen"


def test_a_countdown_goes_by_the_servers_clock(page: StudentPage) -> None:
    answer = notice("terminate", 150)
    answer["now"] -= 300
    answer["notice"]["deadline"] -= 300
    told(page, answer)
    countdown = page.page.locator(".labswarm-countdown")
    expect(countdown).to_contain_text("2 min", timeout=30_000)


def test_a_countdown_in_the_past_is_now(page: StudentPage) -> None:
    told(page, notice("interruption", -50))
    countdown = page.page.locator(".labswarm-countdown")
    expect(countdown).to_have_text("At the latest now.", timeout=30_000)


def away(page: StudentPage, servers: dict[str, Any], progress: str = "") -> None:
    """The page's server is away from now on, and the hub says so of it."""
    student = page.student
    page.page.route(
        f"**/user/{student}/**", lambda route: route.fulfill(status=424, body="not running")
    )
    body = json.dumps({"name": student, "servers": servers})
    page.page.route(
        f"**/hub/api/users/{student}?*",
        lambda route: route.fulfill(content_type="application/json", body=body),
    )
    page.page.route(
        "**/progress?*",
        lambda route: route.fulfill(content_type="text/event-stream", body=f"data: {progress}\n\n"),
    )


def test_a_page_whose_server_is_away_says_so_and_goes_on(page: StudentPage) -> None:
    told(page, {"notice": None})
    in_line = "All seats are taken. You are number 3 in line."
    started: list[str] = []
    overlay = page.page.locator(".labswarm-overlay")
    away(page, {"": {"pending": "spawn"}}, json.dumps({"progress": 10, "message": in_line}))
    page.page.unroute("**/labswarm/notice**")
    expect(overlay).to_contain_text("Your server is starting", timeout=30_000)
    expect(overlay).to_contain_text(in_line)
    assert serious(page, ".labswarm-overlay") == []
    page.screenshot(f"in-line-{page.theme}")

    page.page.unroute_all()
    away(page, {})

    def start(route: Route) -> None:
        started.append(route.request.method)
        route.fulfill()

    page.page.route("**/server?*", start)
    expect(overlay).to_contain_text("Your server is stopped", timeout=40_000)
    assert serious(page, ".labswarm-overlay") == []
    page.screenshot(f"stopped-{page.theme}")
    # Whatever is behind it cannot be reached by the keyboard.
    button = overlay.get_by_role("button", name="Start my server")
    for _ in range(3):
        page.page.keyboard.press("Tab")
        if button.evaluate("node => node === document.activeElement"):
            break
    page.page.keyboard.press("Enter")
    page.page.wait_for_timeout(500)
    assert started == ["POST"]

    page.page.unroute_all()
    expect(overlay).to_be_hidden(timeout=60_000)
    expect(page.page.locator(".labswarm-banner")).to_contain_text("Your server is here again")
    assert page.dialogs() == []


def test_a_page_without_a_connection_says_so_and_goes_on(page: StudentPage) -> None:
    overlay = page.page.locator(".labswarm-overlay")
    page.context.set_offline(True)
    expect(overlay).to_contain_text("There is no connection", timeout=40_000)
    page.screenshot(f"offline-{page.theme}")
    page.context.set_offline(False)
    expect(overlay).to_be_hidden(timeout=40_000)
    assert page.dialogs() == []


def test_a_newer_version_on_disk_is_not_overwritten_unasked(page: StudentPage) -> None:
    told(page, {"notice": None})
    page.save("both.txt", text("first\n"))
    page.open("both.txt")
    page.page.locator(".jp-FileEditor:visible .cm-content").click()
    page.page.keyboard.type("typed here, ")
    page.save("both.txt", text("written elsewhere\n"))

    told(page, notice("interruption", 80))

    asked = page.page.locator(".jp-Dialog", has_text="File Changed")
    expect(asked).to_be_visible(timeout=30_000)
    page.screenshot(f"newer-{page.theme}")
    asked.get_by_role("button", name="Cancel").click()
    banner = page.page.locator(".labswarm-banner")
    expect(banner).to_contain_text("Not saved: both.txt (there is a newer version on disk).")
