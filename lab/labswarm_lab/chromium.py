"""Debian's Chromium without a window, driven by Playwright; `lab class --browser` needs both."""

import shutil
from importlib.util import find_spec

from labswarm_operator.refusal import Refusal

CHROMIUM = shutil.which("chromium")
"""The program; None where it is not installed."""
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    # Without these Chromium asks the network for news of its own.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def installed_chromium() -> str:
    """Return the program's path. Raises Refusal, which says what to install."""
    if find_spec("playwright") is None:
        raise Refusal(
            "--browser: Playwright is not installed. Install it next to labswarm: "
            "pip install -r requirements/lab.lock."
        )
    if CHROMIUM is None:
        raise Refusal("--browser: Chromium is not installed. Install it: apt-get install chromium.")
    return CHROMIUM
