"""One emulator for the contract suites of adapters and twins."""

import uuid
from collections.abc import Iterator

import pytest
from tests.support.running_emulator import RunningEmulator, running

from labswarm_emulator.emulator import Settings


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator that is 20 times faster than AWS; each test uses names of its own."""
    state_dir = tmp_path_factory.mktemp("emulator")
    settings = Settings(address="127.0.0.1", port=0, state_dir=state_dir, time_scale=0.05)
    with running(settings) as emulator:
        yield emulator


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}"
