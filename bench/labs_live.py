"""A class of 350 in the live view, simulated: a real hub with spawners that start nothing, the
page, and a browser. Prints the first paint, and the processor's time of each update.

    .venv/bin/python -m bench.labs_live
"""

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page
from tests.support.labs_page import LabsPage, labs_page
from tests.support.running_emulator import running
from tests.support.student_page import chromium, expect

from labswarm_emulator.emulator import Settings
from labswarm_labs.watching import LOOK_S

STUDENTS = [f"student-{number:03}" for number in range(1, 351)]
PAINTS = 5
WATCHED_S = 45.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main() -> None:
    """Print the figures."""
    groups = {"physics": {"users": STUDENTS}, "physics-staff": {"users": ["curie"]}}
    with tempfile.TemporaryDirectory() as folder:
        state, hub = Path(folder) / "emulator", Path(folder) / "hub"
        for each in (state, hub):
            each.mkdir()
        with (
            running(Settings(address="127.0.0.1", port=0, state_dir=state)) as emulator,
            labs_page(hub, emulator, groups, {"physics": ["physics-staff"]}) as labs,
            chromium() as browser,
        ):
            with ThreadPoolExecutor(5) as pool:
                list(pool.map(lambda one: labs.hub("POST", f"/users/{one}/server"), STUDENTS))
            measure(labs, browser)


def measure(labs: LabsPage, browser: Browser) -> None:
    """Print the figures of the page as `curie` sees it."""
    page = logged_in(labs, browser)
    paints = [painted_ms(labs, page) for _ in range(PAINTS)]
    print(f"first paint: {median(paints):.0f} ms of {PAINTS}, the slowest {max(paints):.0f} ms")
    page.goto(f"{labs.site}/hub/home")
    # The look of the last watcher ends.
    time.sleep(2 * LOOK_S)
    idle = used_s(labs)
    page.goto(f"{labs.url}live?group=physics")
    busy = used_s(labs)
    for name, before, while_watched in zip(("hub", "page"), idle, busy, strict=True):
        each = 1000 * (while_watched - before) * LOOK_S / WATCHED_S
        print(f"{name}: {each:.0f} ms of processor for each update")


def logged_in(labs: LabsPage, browser: Browser) -> Page:
    page = browser.new_page()
    page.goto(f"{labs.site}/hub/login?next=/services/labs/")
    page.fill("#username_input", "curie")
    page.fill("#password_input", "x")
    page.click("#login_submit")
    expect(page.get_by_role("heading", name="Labs", exact=True)).to_be_visible(timeout=60_000)
    return page


def painted_ms(labs: LabsPage, page: Page) -> float:
    """Open the class; return the milliseconds until the browser has painted something of it."""
    page.goto(f"{labs.url}live?group=physics")
    expect(page.locator("#students tr")).to_have_count(len(STUDENTS), timeout=60_000)
    return float(page.evaluate(_PAINTED))


def used_s(labs: LabsPage) -> list[float]:
    """Return the processor's seconds of the hub and of the page while time passes."""
    before = [_processor_s(pid) for pid in labs.pids]
    time.sleep(WATCHED_S)
    return [_processor_s(pid) - was for pid, was in zip(labs.pids, before, strict=True)]


def _processor_s(pid: int) -> float:
    """The seconds of a process so far, of user and system. proc(5): fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


if __name__ == "__main__":
    main()
