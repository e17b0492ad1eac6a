"""One plane for all conformance tests, and names of their own for each."""

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_plane import RunningPlane, start

from labswarm_lab.plane.plane import Settings

START_S = 60.0


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlane]:
    """One plane for all these tests, 20 times faster than AWS; each test names things anew."""
    state_dir = tmp_path_factory.mktemp("plane")
    settings = Settings(address="127.0.0.1", port=0, state_dir=state_dir, time_scale=0.05)
    process = start(settings)
    try:
        ready = _ready(state_dir, process)
        yield RunningPlane(settings, ready["url"], ready["pid"])
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        finally:
            process.kill()


def _ready(state_dir: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    ready, log = state_dir / "ready.json", state_dir / "plane.log"
    deadline = time.monotonic() + START_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the plane did not start:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.05)
    answer: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
    return answer


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"
