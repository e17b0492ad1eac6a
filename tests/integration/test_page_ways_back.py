"""A student's page in two tabs, after a sleep and without a network: it says so and comes back."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.support.away import Away, banner_of, goes_on, overlay_of
from tests.support.lone_server import STUDENT, LoneServer, lone_server
from tests.support.notice_answers import NoticeAnswers, notice
from tests.support.student_page import (
    CHROMIUM,
    StudentPage,
    chromium,
    expect,
    notebook,
    source_of,
    within,
)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
STOPPED = "It was stopped from another tab, or because nobody worked on it for a while."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneServer]:
    with lone_server(tmp_path_factory.mktemp("lone")) as running:
        (running.home / "notes.txt").write_text("first\n")
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(server: LoneServer, browser: Browser) -> Iterator[StudentPage]:
    student = StudentPage(browser, server.site, STUDENT)
    student.open("notes.txt")
    yield student
    student.close()


def set_frozen(page: Page, is_frozen: bool) -> None:
    """Freeze the page as a laptop's sleep does: no timer runs and nothing is received."""
    state = "frozen" if is_frozen else "active"
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": state})
    session.detach()


def test_of_two_tabs_whose_server_was_stopped_one_starts_it_and_both_come_back(
    page: StudentPage, browser: Browser
) -> None:
    other = StudentPage(browser, page.site, page.student, page.context)
    other.open("notes.txt")
    tabs = [(tab, Away(tab)) for tab in (page, other)]
    for tab, _ in tabs:
        expect(overlay_of(tab)).to_contain_text("Your server is stopped", timeout=60_000)
        expect(overlay_of(tab)).to_contain_text(STOPPED)
    other.screenshot("stopped-elsewhere")
    overlay_of(other).get_by_role("button", name="Start my server").click()
    for tab, away in tabs:
        away.starting("Found a seat.")
        expect(overlay_of(tab)).to_contain_text("Found a seat.", timeout=30_000)
    assert [away.started for _, away in tabs] == [[], ["POST"]]
    for tab, away in tabs:
        away.over()
        assert tab.dialogs() == []
    other.page.close()


def test_a_laptop_that_slept_while_its_server_was_stopped_says_so_when_it_wakes(
    page: StudentPage,
) -> None:
    overlay = overlay_of(page)
    set_frozen(page.page, True)
    away = Away(page)
    set_frozen(page.page, False)
    expect(overlay).to_contain_text(STOPPED, timeout=60_000)
    overlay.get_by_role("button", name="Start my server").click()
    away.over()
    assert page.dialogs() == []


def test_a_laptop_that_slept_while_its_server_ran_goes_on(
    page: StudentPage, server: LoneServer
) -> None:
    set_frozen(page.page, True)
    set_frozen(page.page, False)
    page.page.locator(".jp-FileEditor .cm-content").click()
    page.page.keyboard.type("typed after it, ")
    page.page.keyboard.press("Control+s")
    file = server.home / "notes.txt"
    within(20, lambda: "typed after it, " in file.read_text(), "it is saved")
    expect(overlay_of(page)).to_be_hidden()
    assert page.dialogs() == []


def test_text_that_is_saved_without_a_connection_is_saved_once_it_is_back(
    page: StudentPage, server: LoneServer
) -> None:
    file = server.home / "work.ipynb"
    page.save("work.ipynb", notebook("a = 1"))
    page.open("work.ipynb")
    answers = NoticeAnswers(page.page)
    # Before that: the page may notice at once, and its overlay takes the keys.
    page.type_in_cell("\nb = 2")
    expect(page.page.locator(".jp-Cell .cm-content").first).to_contain_text("b = 2")
    page.context.set_offline(True)
    answers.break_off()
    page.page.keyboard.press("Control+s")
    expect(overlay_of(page)).to_contain_text("There is no connection", timeout=40_000)
    assert source_of(file) == "a = 1"

    page.context.set_offline(False)
    goes_on(page)
    within(20, lambda: source_of(file) == "a = 1\nb = 2", "it is saved")
    assert page.dialogs() == []
    page.page.unroute("**/labswarm/notice**")


def test_a_save_that_a_lost_server_never_answers_is_made_on_the_next_one(
    page: StudentPage, server: LoneServer
) -> None:
    file = server.home / "lost.ipynb"
    page.save("lost.ipynb", notebook("a = 1"))
    answers = NoticeAnswers(page.page)
    page.open("lost.ipynb")
    kept: list[Any] = []
    saves = "**/api/contents/lost.ipynb?*"
    page.page.route(saves, lambda route: kept.append(route))
    page.type_in_cell("\nb = 2")
    page.page.keyboard.press("Control+s")
    within(10, lambda: bool(kept), "the save is on its way")
    page.page.unroute(saves)
    away = Away(page)
    answers.break_off()
    away.starting("Found a seat.")
    expect(overlay_of(page)).to_contain_text("Found a seat.", timeout=40_000)
    away.over()
    within(20, lambda: source_of(file) == "a = 1\nb = 2", "it is saved")
    page.type_in_cell("\nc = 3")
    page.page.keyboard.press("Control+s")
    within(20, lambda: source_of(file) == "a = 1\nb = 2\nc = 3", "it is saved again")
    assert page.dialogs() == []
    page.page.unroute("**/labswarm/notice**")


@pytest.mark.deep
def test_a_connection_that_swallows_every_answer_is_noticed(page: StudentPage) -> None:
    """A network that changed: requests leave, and nothing comes back."""
    swallowed: list[Any] = []
    url = f"**/user/{STUDENT}/**"
    page.page.route(url, lambda route: swallowed.append(route))
    expect(overlay_of(page)).to_contain_text("There is no connection", timeout=90_000)
    page.page.unroute(url)
    goes_on(page)
    assert page.dialogs() == []


def test_notebook_7_has_notices_and_comes_back_too(page: StudentPage, server: LoneServer) -> None:
    file = server.home / "seven.ipynb"
    page.save("seven.ipynb", notebook("a = 1"))
    answers = NoticeAnswers(page.page)
    page.page.goto(f"{page.site}/user/{STUDENT}/notebooks/seven.ipynb")
    page.page.wait_for_selector(".labswarm-banner", state="attached", timeout=60_000)
    page.page.locator(".jp-Notebook .cm-content").first.wait_for(timeout=60_000)
    assert page.page.locator("#jp-main-dock-panel").count() == 0, "it is not JupyterLab"
    page.type_in_cell("\nb = 2")
    answers.say(notice("interruption", 80))
    expect(banner_of(page)).to_contain_text("Your documents are saved.", timeout=40_000)
    assert source_of(file) == "a = 1\nb = 2"
    page.screenshot("notebook-7")
    away = Away(page)
    away.starting("You are next.")
    expect(overlay_of(page)).to_contain_text("You are next.", timeout=40_000)
    away.over()
    page.type_in_cell("\nc = 3")
    page.page.keyboard.press("Control+s")
    within(20, lambda: source_of(file) == "a = 1\nb = 2\nc = 3", "it is saved again")
    assert page.dialogs() == []
