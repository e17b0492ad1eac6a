"""The emulator as a process: how it starts, refuses to, and stops."""

import os
import signal
import socket
from pathlib import Path

import pytest
from tests.support.running_emulator import RunningEmulator, eventually, start

from labswarm_emulator.emulator import Settings
from labswarm_emulator.server import main

pytestmark = pytest.mark.emulator


def config(state_dir: Path, port: int = 0) -> str:
    file = state_dir / "config.json"
    file.write_text(Settings("127.0.0.1", port, state_dir).to_json(), encoding="utf-8")
    return str(file)


def test_on_sigterm_the_emulator_ends_and_is_not_ready(
    tmp_path: Path,
) -> None:
    """SIGTERM ends it; ready.json stands only while it answers."""
    process, ready = start(Settings("127.0.0.1", 0, tmp_path)), tmp_path / "ready.json"
    try:
        eventually(ready.exists, within_s=60)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=15) == 0
        assert not ready.exists()
    finally:
        process.kill()
        process.wait()


def test_given_a_port_in_use_then_it_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and nothing half made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--config", config(tmp_path, port), "--machines", "shell"]) == 2
    said = capsys.readouterr().err
    assert "Address already in use" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("machines", ["none", "json:none", "no_such_module:make"])
def test_given_unknown_machines_then_it_names_them_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], machines: str
) -> None:
    """Exit code 2 and nothing half made."""
    assert main(["--config", config(tmp_path), "--machines", machines]) == 2
    said = capsys.readouterr().err
    assert f"--machines {machines}" in said
    assert len(said.splitlines()) == 1


def test_given_a_connection_that_says_nothing_then_others_are_answered(
    emulator: RunningEmulator,
) -> None:
    """The server has a thread for each connection."""
    host, port = emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as held:
        held.sendall(b"POST / HTTP/1.1\r\n")
        assert emulator.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
