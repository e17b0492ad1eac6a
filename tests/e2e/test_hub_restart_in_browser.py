"""A student at a browser, whose hub restarts and whose proxy restarts: nothing to notice."""

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser
from tests.e2e.conftest import LabUnderTest
from tests.support.student_page import (
    CHROMIUM,
    StudentPage,
    chromium,
    expect,
    notebook,
    source_of,
    within,
)

from labswarm.homes import home_name
from labswarm_hub.homes import GID, UID, make_home

pytestmark = [
    pytest.mark.swarm,
    pytest.mark.deep,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium"),
]
# A server that asks the hub at each request who sends it. It remembers the answer for five minutes
# otherwise, and few requests would meet the hub's absence.
FORGETFUL = "c.HubOAuth.cache_max_age = 1\n"
UPDATE = ("docker", "service", "update", "--force", "--quiet")
BACK_WITHIN_S = 60


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(lab: LabUnderTest) -> Path:
    """Ada's home, with a setting of her server."""
    home = Path(lab.status()["homes"]) / home_name("ada")
    make_home(home)
    settings = home / ".jupyter"
    settings.mkdir(exist_ok=True)
    (settings / "jupyter_server_config.py").write_text(FORGETFUL)
    subprocess.run(["chown", "-R", f"{UID}:{GID}", settings], check=True)
    return home


@pytest.fixture(scope="module")
def ada(lab: LabUnderTest, home: Path, browser: Browser) -> Iterator[StudentPage]:
    """A student whose notebook has a variable."""
    student = StudentPage(browser, lab.status()["hub"]["url"], "ada")
    student.log_in()
    student.save("work.ipynb", notebook("kept = 41", "", "print(kept + 1)"))
    student.open("work.ipynb")
    idle = student.page.get_by_role("button", name="Python 3 (ipykernel) | Idle")
    expect(idle).to_be_visible(timeout=60_000)
    student.type_in_cell(" ")
    student.page.keyboard.press("Control+Enter")
    expect(student.page.locator(".jp-InputPrompt").first).to_have_text("[1]:", timeout=60_000)
    yield student
    student.close()


def typed_during(student: StudentPage, over: Callable[[], bool]) -> str:
    """Type and save until it is over; everything that was typed."""
    student.type_in_cell("# ", number=1)
    written = "# "
    while not over():
        student.page.keyboard.type("word ")
        student.page.keyboard.press("Control+s")
        written += "word "
        time.sleep(0.2)
    return written


def test_a_student_who_types_does_not_notice_an_update_of_the_hub(
    lab: LabUnderTest, ada: StudentPage, home: Path
) -> None:
    url = lab.status()["hub"]["url"]
    away: list[float] = []

    def answers() -> bool:
        try:
            ok = requests.get(f"{url}/hub/health", timeout=1).ok
        except requests.RequestException:
            ok = False
        if not ok:
            away.append(time.monotonic())
        return ok

    with ThreadPoolExecutor(1) as pool:
        update = pool.submit(lab.must, "shell", "hub", "--", *UPDATE, "labswarm-hub")
        written = typed_during(ada, lambda: answers() and update.done() and bool(away))
    print(f"the hub was away for {away[-1] - away[0]:.1f} s, and {len(written)} letters were typed")

    within(60, lambda: source_of(home / "work.ipynb", 1) == written, "the text is saved")
    ada.type_in_cell(" ", number=2)
    ada.page.keyboard.press("Control+Enter")
    expect(ada.page.locator(".jp-OutputArea-output").last).to_have_text("42", timeout=30_000)
    assert ada.dialogs() == []
    assert ada.texts("overlay") == ada.texts("banner") == ""


def test_a_proxy_that_restarts_is_given_its_routes_within_seconds(
    lab: LabUnderTest, ada: StudentPage, home: Path
) -> None:
    url = lab.status()["hub"]["url"]
    lab.must("shell", "hub", "--", *UPDATE, "labswarm-proxy")
    ada.type_in_cell("# after", number=2)
    ada.page.keyboard.press("Control+s")

    def answers() -> bool:
        try:
            return requests.get(f"{url}/hub/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    within(BACK_WITHIN_S, answers, "the hub is reached")
    within(BACK_WITHIN_S, lambda: source_of(home / "work.ipynb", 2).endswith("# after"), "saved")
    ada.type_in_cell("\nprint(kept + 2)", number=2)
    ada.page.keyboard.press("Control+Enter")
    output = ada.page.locator(".jp-OutputArea-output").last
    expect(output).to_contain_text("43", timeout=60_000)
    assert ada.dialogs() == []


def test_a_student_who_comes_while_the_hub_is_away_waits_on_a_page_in_plain_words(
    lab: LabUnderTest, browser: Browser
) -> None:
    url = lab.status()["hub"]["url"]
    scale = ("docker", "service", "scale", "--detach")
    lab.must("shell", "hub", "--", *scale, "labswarm-hub=0")
    bob = StudentPage(browser, url, "bob")
    try:
        within(BACK_WITHIN_S, lambda: requests.get(url, timeout=30).status_code == 503, "away")
        bob.page.goto(f"{url}/hub/login")
        expect(bob.page.get_by_role("heading")).to_have_text("One moment, please")
        lab.must("shell", "hub", "--", *scale, "labswarm-hub=1")
        # The page asks again by itself.
        expect(bob.page.locator("#username_input")).to_be_visible(timeout=BACK_WITHIN_S * 1000)
    finally:
        lab.must("shell", "hub", "--", *scale, "labswarm-hub=1")
        bob.close()
