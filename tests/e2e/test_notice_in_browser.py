"""A student at a browser, on a node that EC2 takes back: the page tells, saves and comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.e2e.conftest import LabUnderTest
from tests.support.student_page import (
    CHROMIUM,
    StudentPage,
    chromium,
    expect,
    notebook,
    source_of,
    text,
    within,
)

from labswarm_hub.names import home_name

pytestmark = [
    pytest.mark.swarm,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
# The command itself takes a moment on a busy machine, so this counts from its end.
TOLD_WITHIN_S = 3
# A bound for a busy machine, not a promise.
MOVED_WITHIN_S = 150


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def home_of(lab: LabUnderTest, student: str) -> Path:
    return Path(lab.status()["homes"]) / home_name(student)


def node_of_students(lab: LabUnderTest) -> str:
    """The instance on which students sit."""
    (node,) = (node for node in lab.status()["nodes"] if node["seats_used"])
    return str(node["instance_id"])


def test_a_student_whose_node_is_taken_back_stays_in_the_same_tab(
    lab: LabUnderTest, browser: Browser
) -> None:
    ada = StudentPage(browser, lab.status()["hub"]["url"], "ada")
    ada.log_in()
    ada.save("notes.txt", text("first\n"))
    ada.save("work.ipynb", notebook("a = 1", *(f"print({number})" for number in range(40))))
    ada.open("notes.txt", "work.ipynb")
    lab.must("scale", "2")
    node = node_of_students(lab)
    ada.scroll_to_cell(30)
    ada.type_in_cell("\nb = 2", number=30)
    before = ada.place()
    assert before["scrolled"] > 0
    assert set(before["tabs"]) >= {"notes.txt", "work.ipynb"}

    lab.must("interrupt", node)

    banner = ada.page.locator(".labswarm-banner")
    expect(banner).to_be_visible(timeout=TOLD_WITHIN_S * 1000)
    expect(banner).to_contain_text("Your server is moving to another machine")
    countdown = banner.locator(".labswarm-countdown")
    expect(countdown).to_have_text(re.compile(r"At the latest in \d\d s\."))
    expect(banner).to_contain_text("Your documents are saved.")
    saved = home_of(lab, "ada") / "work.ipynb"
    assert source_of(saved, 30).endswith("\nb = 2")
    ada.screenshot("notice")

    overlay = ada.page.locator(".labswarm-overlay")
    expect(overlay).to_be_visible(timeout=MOVED_WITHIN_S * 1000)
    expect(overlay).to_contain_text("Your server is moving to another machine")
    ada.screenshot("moving")
    expect(overlay).to_be_hidden(timeout=MOVED_WITHIN_S * 1000)

    expect(banner).to_contain_text("Variables are gone")
    assert ada.place() == before
    ada.screenshot("back")
    # The keyboard is where it was, and the page saves on the new server.
    ada.page.keyboard.type("\nc = 3")
    ada.page.keyboard.press("Control+s")
    within(20, lambda: source_of(saved, 30).endswith("\nb = 2\nc = 3"), "it is saved again")
    assert node_of_students(lab) != node
    ada.page.get_by_role("button", name="Run all above").click()
    expect(ada.page.locator(".jp-OutputArea-output").first).to_contain_text("0", timeout=60_000)
    assert ada.dialogs() == []
