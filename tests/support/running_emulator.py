"""An emulator under test: a process of its own, reached over HTTP as AWS would be."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import boto3
import pytest

from labswarm_emulator.emulator import REGION, Settings

T = TypeVar("T")
START_S = 180.0


def eventually(
    look: Callable[[], T | Literal[False] | None], *, within_s: float = 15.0, every_s: float = 0.02
) -> T:
    """Return the first true answer of `look`; fail with its last one after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            pytest.fail(f"not seen within {within_s} s; last seen: {seen!r}")
        time.sleep(every_s)


@dataclass
class RunningEmulator:
    """An emulator that answers: its settings, its address, and clients of it."""

    settings: Settings
    url: str
    pid: int
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator (one for each service)."""
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]  # a variable here
                service,
                region_name=REGION,
                endpoint_url=self.url,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return self._clients[service]

    def recorded(self, part: str, **fields: Any) -> list[dict[str, Any]]:
        """The records of a part of the emulator with these fields, in order."""
        record = self.settings.state_dir / "record.jsonl"
        if not record.exists():
            return []
        lines = map(json.loads, record.read_text(encoding="utf-8").splitlines())
        wanted = {"part": part, **fields}
        return [line for line in lines if wanted.items() <= line.items()]


def start(settings: Settings) -> "subprocess.Popen[bytes]":
    """Start an emulator with shell machines, which logs to `emulator.log`."""
    config = settings.state_dir / "config.json"
    config.write_text(settings.to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "labswarm_emulator.server"]
    with (settings.state_dir / "emulator.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [*command, "--config", str(config), "--machines", "shell"],
            stdout=log,
            stderr=subprocess.STDOUT,
        )


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[RunningEmulator]:
    """Yield an emulator of these settings, and end it afterwards."""
    process = start(settings)
    try:
        ready = _ready(settings, process)
        yield RunningEmulator(settings, ready["url"], ready["pid"])
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        finally:
            process.kill()


def _ready(settings: Settings, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    ready, log = settings.state_dir / "ready.json", settings.state_dir / "emulator.log"
    deadline = time.monotonic() + START_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the emulator did not start:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.05)
    answer: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
    return answer
