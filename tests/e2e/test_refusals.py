"""Requests that are refused before anything is made."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.e2e.conftest import LabUnderTest

from labswarm_lab.nodes.requirements import missing

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def unborn() -> Iterator[LabUnderTest]:
    lab = LabUnderTest(f"re{os.getpid()}")
    yield lab
    assert lab.must("down", "--dry-run") == "", "nothing half-made is left"


@pytest.fixture
def real_nodes() -> None:
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("up", "--wrkers", "2"), "--wrkers"),
        (("up", "--workers", "two"), "--workers"),
        (("up", "--workers", "21"), "--workers"),
        (("scale", "many"), "many"),
        (("scale", "-1"), "-1"),
        (("class", "0"), "0"),
        (("status",), "not up"),
        (("scale", "2"), "not up"),
        (("class", "2"), "not up"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_exit_code_2(
    unborn: LabUnderTest, words: tuple[str, ...], named: str
) -> None:
    refused = unborn.run(*words)
    assert refused.returncode == 2
    assert named in refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr


def test_a_name_that_cannot_be_a_bridges_is_refused() -> None:
    refused = LabUnderTest("Not_A_Name").run("up")
    assert refused.returncode == 2
    assert "Not_A_Name" in refused.stderr


@pytest.mark.swarm
@pytest.mark.usefixtures("real_nodes")
def test_a_port_in_use_is_named(unborn: LabUnderTest) -> None:
    # In a network of its own: on this machine's, a lab that is up may have the port.
    listening = (
        "import socket, subprocess, sys; s = socket.socket(); s.bind(('0.0.0.0', 5060)); "
        "s.listen(); sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    )
    refused = subprocess.run(
        [
            *("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"),
            *(sys.executable, "-c", listening, *unborn.command, "up"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2, refused.stderr
    assert "5060" in refused.stderr


@pytest.mark.swarm
@pytest.mark.usefixtures("real_nodes")
def test_a_bridge_in_use_is_named_and_left_alone(unborn: LabUnderTest) -> None:
    bridge = f"ls-{unborn.name}"
    subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
    try:
        refused = unborn.run("up")
        assert subprocess.run(["ip", "link", "show", bridge], check=False).returncode == 0
    finally:
        subprocess.run(["ip", "link", "delete", bridge], check=True)
    assert refused.returncode == 2
    assert bridge in refused.stderr
