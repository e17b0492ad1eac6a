"""A student at a browser, on a node that EC2 takes back: the page tells, and saves."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.e2e.browser.student_page import (
    CHROMIUM,
    StudentPage,
    chromium,
    expect,
    notebook,
    source_of,
    text,
    within,
)
from tests.e2e.conftest import LabUnderTest

from labswarm_hub.names import home_name

pytestmark = [
    pytest.mark.swarm,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
# The command itself takes a moment on a busy machine, so this counts from its end.
TOLD_WITHIN_S = 3


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


def test_a_notice_is_shown_with_a_countdown_and_every_open_document_is_saved(
    lab: LabUnderTest, browser: Browser
) -> None:
    ada = StudentPage(browser, lab.status()["hub"]["url"], "ada")
    ada.save("notes.txt", text("first\n"))
    ada.save("work.ipynb", notebook("a = 1"))
    ada.open("notes.txt", "work.ipynb")
    lab.must("scale", "2")
    node = node_of_students(lab)
    ada.type_in_cell("\nb = 2")

    lab.must("interrupt", node)

    banner = ada.page.locator(".labswarm-banner")
    expect(banner).to_be_visible(timeout=TOLD_WITHIN_S * 1000)
    expect(banner).to_contain_text("Your server is moving to another machine")
    expect(banner.locator(".labswarm-countdown")).to_have_text(
        re.compile(r"At the latest in \d\d s\.")
    )
    expect(banner).to_contain_text("Your documents are saved.")
    saved = home_of(lab, "ada") / "work.ipynb"
    within(5, lambda: source_of(saved) == "a = 1\nb = 2", "the notebook is saved")
