"""The plane as a process: how it starts, refuses to, and stops."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from running_plane import RunningPlane, eventually

from labswarm_lab.plane.plane import Settings

pytestmark = pytest.mark.plane


def start(state_dir: Path, *, port: int = 0, machines: str = "shell") -> "subprocess.Popen[str]":
    config = state_dir / "config.json"
    config.write_text(Settings("127.0.0.1", port, state_dir).to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "labswarm_lab.plane.server"]
    return subprocess.Popen(
        [*command, "--config", str(config), "--machines", machines],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_given_a_plane_that_serves_when_told_to_stop_then_it_ends_and_is_not_ready(
    tmp_path: Path,
) -> None:
    """SIGTERM ends it; ready.json stands only while it answers."""
    process, ready = start(tmp_path), tmp_path / "ready.json"
    try:
        eventually(ready.exists, within_s=60)
        assert json.loads(ready.read_text(encoding="utf-8"))["pid"] == process.pid
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=15) == 0
        assert not ready.exists()
    finally:
        process.kill()
        process.communicate()


def test_given_a_port_in_use_then_it_says_so_in_one_line(tmp_path: Path) -> None:
    """Exit code 2 and nothing half made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(tmp_path, port=taken.getsockname()[1])
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Address already in use" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("machines", ["none", "json:none", "no_such_module:make"])
def test_given_unknown_machines_then_it_names_them_in_one_line(
    tmp_path: Path, machines: str
) -> None:
    """Exit code 2 and nothing half made."""
    process = start(tmp_path, machines=machines)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"--machines {machines}" in said
    assert len(said.splitlines()) == 1


def test_given_two_requests_at_once_then_both_are_answered(plane: RunningPlane) -> None:
    """The server has a thread for each connection: a held one does not hold the others."""
    host, port = plane.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as held:
        held.sendall(b"POST / HTTP/1.1\r\n")
        assert plane.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
