"""A lab whose process is killed at any moment of its life is ended by `down`, all of it."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.conftest import LabUnderTest
from tests.support.left_behind import traces

from labswarm_lab.nodes.requirements import missing

pytestmark = [pytest.mark.swarm, pytest.mark.deep, pytest.mark.timeout(600)]

LATEST_S = 45.0
"""From the beginning of `up`; it takes some 25 s where nothing else runs."""


@pytest.fixture
def unborn() -> Iterator[LabUnderTest]:
    """A lab that is not up yet; its remains are removed after the test."""
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    lab = LabUnderTest(f"kd{os.getpid()}")
    yield lab
    lab.must("down", "--homes")


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_after_a_kill_at_a_random_moment_down_leaves_nothing(
    unborn: LabUnderTest, seed: int
) -> None:
    """Kill `up` while it works, or the emulator's process if `up` has ended."""
    chance = random.Random(seed)  # noqa: S311
    moment_s, emulator_first = chance.uniform(0.5, LATEST_S), chance.random() < 0.5
    with subprocess.Popen([*unborn.command, "up", "--workers", "1"], stderr=subprocess.PIPE) as up:
        time.sleep(moment_s)
        begun = traces(unborn)
        emulator = emulator_pid(unborn)
        if emulator and (emulator_first or up.poll() is not None):
            os.kill(emulator, signal.SIGKILL)
        else:
            up.kill()
        up.communicate(timeout=400)  # without its emulator it ends by itself what it began

    unborn.must("down", "--homes")

    left = traces(unborn)
    print(f"killed after {moment_s:.1f} s: {len(begun)} traces then, {len(left)} now")
    assert left == set()


def emulator_pid(lab: LabUnderTest) -> int | None:
    """The emulator's process, if it has begun."""
    file = Path("/var/lib/labswarm") / lab.name / "emulator" / "pid"
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
