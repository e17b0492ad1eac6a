"""The remains of a lab on the machine after its end, in order or not."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.conftest import LabUnderTest
from tests.support.left_behind import traces

from labswarm_lab.nodes.requirements import missing

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]


@pytest.fixture
def unborn() -> Iterator[LabUnderTest]:
    """A lab that is not up yet; its remains are removed after the test."""
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    lab = LabUnderTest(f"dn{os.getpid()}")
    yield lab
    lab.must("down", "--homes")


def test_down_leaves_nothing_but_the_homes(unborn: LabUnderTest) -> None:
    unborn.must("up", "--workers", "1")
    homes = Path(unborn.status()["homes"])
    (homes / "ada").mkdir()
    (homes / "ada" / "thesis.txt").write_text("chapter one")
    assert len(traces(unborn)) > 5, "the test sees what a lab that is up consists of"

    unborn.must("down")

    assert traces(unborn) == {str(homes.parent)}
    assert (homes / "ada" / "thesis.txt").read_text() == "chapter one"
    assert unborn.run("status").returncode == 2


def test_a_crashed_lab_comes_up_again_and_goes_down_cleanly(unborn: LabUnderTest) -> None:
    unborn.must("up", "--workers", "1")
    ready = Path(unborn.status()["homes"]).parent / "emulator" / "pid"
    os.kill(int(ready.read_text()), signal.SIGKILL)

    unborn.must("up", "--workers", "1")
    assert len(unborn.status()["nodes"]) == 1

    os.kill(int(ready.read_text()), signal.SIGKILL)
    unborn.must("down", "--homes")
    assert traces(unborn) == set()


def test_an_up_goes_on_undisturbed_and_killed_midway_leaves_nothing_that_down_does_not_find(
    unborn: LabUnderTest,
) -> None:
    with subprocess.Popen(
        [*unborn.command, "up", "--workers", "1"], stderr=subprocess.PIPE, text=True
    ) as begun:
        assert begun.stderr is not None
        for line in begun.stderr:
            if "ok" in line and "Swarm" in line:
                break
        refused = unborn.run("down")
        begun.kill()
    assert refused.returncode == 2
    assert "Another command" in refused.stderr

    unborn.must("down", "--homes")

    assert traces(unborn) == set()
