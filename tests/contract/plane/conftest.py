"""One plane for all conformance tests, and names of their own for each."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_plane import RunningPlane

from labswarm_lab.plane.plane import Settings

START_S = 60.0
SERVER = "labswarm_lab.plane.server"


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlane]:
    """One plane for all these tests, 20 times faster than AWS; each test names things anew."""
    state_dir = tmp_path_factory.mktemp("plane")
    settings = Settings(address="127.0.0.1", port=0, state_dir=state_dir, time_scale=0.05)
    config = state_dir / "config.json"
    config.write_text(settings.to_json(), encoding="utf-8")
    log = (state_dir / "plane.log").open("w+", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", SERVER, "--config", str(config), "--machines", "shell"],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        ready = _ready(state_dir / "ready.json", process, log.name)
        yield RunningPlane(settings, ready["url"], ready["pid"])
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        finally:
            process.kill()
            log.close()


def _ready(path: Path, process: "subprocess.Popen[bytes]", log: str) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the plane did not start:\n{Path(log).read_text(encoding='utf-8')}")
        time.sleep(0.05)
    answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return answer


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"
