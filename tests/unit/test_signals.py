"""A test sets the signals that it relies on, so that it also passes in the background."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.signals import usual_signals

TESTS = Path(__file__).parents[1]
SENDS = ("send_signal(signal.SIGINT)", "send_signal(signal.SIGHUP)")

STARTS = """
import subprocess, sys
from tests.support.signals import usual_signals
SAYS = "import signal; print(*(signal.getsignal(n) is signal.SIG_IGN for n in (2, 1)), flush=True)"
with usual_signals():
    subprocess.run([sys.executable, "-c", SAYS], check=True)
subprocess.run([sys.executable, "-c", SAYS], check=True)
"""


def test_a_process_in_the_background_starts_children_that_can_be_interrupted() -> None:
    said = subprocess.run(
        ["/bin/sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh", sys.executable, "-c", STARTS],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said.splitlines() == ["False False", "True True"]


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=file.name)
        for file in sorted(TESTS.rglob("test_*.py"))
        if any(sends in file.read_text() for sends in SENDS) and file.name != Path(__file__).name
    ],
)
def test_a_test_that_sends_such_a_signal_sets_it(file: Path) -> None:
    assert "with usual_signals()" in file.read_text()


def test_the_tests_own_signals_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGHUP)
    with usual_signals():
        pass
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGHUP)) == before
