"""A student at a browser, on a node that EC2 takes back: the page shows it, saves and returns."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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

from labswarm.homes import home_name

pytestmark = [
    pytest.mark.swarm,
    # Two moves take more than a minute on a quiet machine, and several on a busy one.
    pytest.mark.deep,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
# The command itself takes a moment on a busy machine, so this counts from its end.
TOLD_WITHIN_S = 3
MOVING = "Your server is moving to another machine"
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


@pytest.fixture(scope="module")
def ada(lab: LabUnderTest, browser: Browser) -> Iterator[StudentPage]:
    """A student who has logged in and opened the server."""
    student = StudentPage(browser, lab.status()["hub"]["url"], "ada")
    student.log_in()
    yield student
    student.close()


@dataclass
class Command:
    """A command that runs while the page is looked at; `ended` is in monotonic seconds."""

    ended: float = float("inf")


@contextmanager
def interrupted(lab: LabUnderTest, node: str) -> Iterator[Command]:
    """EC2 warns of the node's end while the page is looked at."""
    command = Command()

    def run() -> None:
        lab.must("interrupt", node)
        command.ended = time.monotonic()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        yield command
        running.result()


def test_a_student_whose_node_is_taken_back_stays_in_the_same_tab(
    lab: LabUnderTest, ada: StudentPage
) -> None:
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

    banner = ada.page.locator(".labswarm-banner")
    with interrupted(lab, node) as command:
        within(MOVED_WITHIN_S, lambda: MOVING in ada.texts("banner"), "the student is notified")
        shown = time.monotonic()
    assert shown < command.ended + TOLD_WITHIN_S

    saved = home_of(lab, "ada") / "work.ipynb"
    expect(banner).to_contain_text("Variables are gone", timeout=MOVED_WITHIN_S * 1000)
    # On a quiet machine a move takes some seconds, so the texts on the way were short.
    assert re.search(r"At the latest in \d\d s\.", ada.texts("banner"))
    assert "Your documents are saved." in ada.texts("banner")
    assert MOVING in ada.texts("overlay")
    assert source_of(saved, 30).endswith("\nb = 2")
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


def test_a_student_without_a_seat_reads_the_estimate_and_comes_back_on_the_next_node(
    lab: LabUnderTest, ada: StudentPage
) -> None:
    lab.must("scale", "1")
    lab.eventually("one node is left", lambda seen: len(seen["nodes"]) == 1, within_s=90)
    ada.type_in_cell("\nd = 4")
    node = node_of_students(lab)

    with interrupted(lab, node):
        within(MOVED_WITHIN_S, lambda: "You are next." in ada.texts("overlay"), "it is in line")
    overlay = ada.page.locator(".labswarm-overlay")
    expect(overlay).to_be_hidden(timeout=MOVED_WITHIN_S * 1000)
    estimate = r"A machine is starting for you: about \d+ (s|min)\. You are next\."
    assert re.search(estimate, ada.texts("overlay"))
    assert node_of_students(lab) != node
    assert source_of(home_of(lab, "ada") / "work.ipynb").endswith("\nd = 4")
    assert ada.dialogs() == []


def test_a_kernel_that_takes_more_memory_than_the_limit_is_explained(
    ada: StudentPage,
) -> None:
    ada.save("greedy.ipynb", notebook("taken = b'x' * 2**33"))
    ada.open("greedy.ipynb")
    # JupyterLab runs nothing in a notebook whose kernel is not there yet.
    idle = ada.page.get_by_role("button", name="Python 3 (ipykernel) | Idle")
    expect(idle).to_be_visible(timeout=60_000)
    ada.type_in_cell(" ")
    ada.page.keyboard.press("Shift+Enter")

    banner = ada.page.locator(".labswarm-banner")
    expect(banner).to_contain_text(
        re.compile(r"Out of memory: \d+ MB is your limit\."), timeout=60_000
    )
    ada.screenshot("memory")
