"""The emulator itself: its settings, and the state that its parts share."""

import json
import random
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from labswarm_emulator.clock import Clock
from labswarm_emulator.faults import Faults
from labswarm_emulator.latency import FAST, Delay, Latency, profile
from labswarm_emulator.machines import Machines
from labswarm_emulator.record import Record

REGION = "eu-west-1"
ACCOUNT = "123456789012"

READY = "ready.json"
"""The file in the state folder that exists while the emulator answers."""


@dataclass(frozen=True)
class Settings:
    """The settings of an emulator."""

    address: str
    port: int
    state_dir: Path
    time_scale: float = 1.0
    function_python: str = sys.executable
    latency: str = FAST.name
    function_concurrency: int = 1000
    """The account's limit of concurrent events; a new account on AWS has 10."""
    seed: int = 0
    """The seed of all drawn latencies."""

    @classmethod
    def parse(cls, text: str) -> "Settings":
        """Read the JSON that `to_json` wrote."""
        values = json.loads(text)
        return cls(**{**values, "state_dir": Path(values["state_dir"])})

    def to_json(self) -> str:
        return json.dumps({**self.__dict__, "state_dir": str(self.state_dir)})


@dataclass
class Emulator:
    """One embedded AWS: every part is installed on it and reaches the others through it."""

    settings: Settings
    machines: Machines
    clock: Clock = field(init=False)
    latency: Latency = field(init=False)
    record: Record = field(init=False)
    faults: Faults = field(init=False, default_factory=Faults)
    closing: list[Callable[[], None]] = field(init=False, default_factory=list)
    """The parts' clean-up when the emulator stops; the server calls each once."""
    without_tools: set[str] = field(init=False, default_factory=set)
    """The instances whose image lacks the nodes' tools."""

    _chance: random.Random = field(init=False, repr=False)
    _drawing: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.clock = Clock(self.settings.time_scale)
        self.latency = profile(self.settings.latency)
        self._chance = random.Random(self.settings.seed)  # noqa: S311
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)
        self.record = Record(self.settings.state_dir / "record.jsonl")

    @property
    def url(self) -> str:
        return f"http://{self.settings.address}:{self.settings.port}"

    def draw(self, delay: Delay) -> float:
        """Draw a delay, in seconds of the emulator's clock."""
        with self._drawing:
            return delay.drawn(self._chance)

    def client(self, service: str) -> Any:
        """Return a boto3 client of this emulator, usable from any thread."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the service is a variable here
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="emulator",
            aws_secret_access_key="emulator",  # noqa: S106  # the emulator accepts any
        )
