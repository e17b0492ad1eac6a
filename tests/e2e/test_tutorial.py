"""The tutorial, done as it is written."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.conftest import COMMAND, LabUnderTest
from tests.support.repository import REPOSITORY, shell_lines

from labswarm_lab.nodes.requirements import missing

TUTORIAL = REPOSITORY / "docs/tutorial/first-lab.md"

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]


@pytest.fixture
def name() -> Iterator[str]:
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    name = f"tu{os.getpid()}"
    yield name
    LabUnderTest(name).must("down", "--homes")


def test_every_command_of_the_tutorial_succeeds(name: str) -> None:
    lines = shell_lines(TUTORIAL)
    assert lines[0] == "make lab"
    assert lines[-1] == "labswarm lab down"
    # `make lab` installs the command for everyone; it starts the same lab.
    for line in ["labswarm lab up", *lines[1:]]:
        words = [str(COMMAND), *shlex.split(line)[1:]]
        done = subprocess.run(
            words,
            env={**os.environ, "LABSWARM_LAB": name},
            cwd=Path("/"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
