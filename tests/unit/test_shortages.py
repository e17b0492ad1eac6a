"""A cluster to which AWS sells no machines: from lab hours' state to the hub's folder."""

import json
from pathlib import Path

import pytest
from tests.support.app_twins import TwinClock
from tests.twins.state import MemoryLabHoursStates

from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm.lab_hours.purchases import Market, Refusal, next_try_at
from labswarm.lab_hours.state import LabHoursState
from labswarm.shortages import FRESH_S, Shortages
from labswarm_node.document import Files
from labswarm_node.shortages import EVERY_S, ShortageService

SHORT = LabHoursState(refused="spot", refused_since=900, next_try_at=1300)


class Rig(MemoryLabHoursStates):
    """A hub's host with one further group of workers, and AWS."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.error: LabswarmError | None = None
        self.files, self.clock = Files(folder), TwinClock()
        self.files.base.write_text(json.dumps({"groups": {"gpu": {}}}))
        self.service = ShortageService("lab", self, self.files, self.clock)

    def read_state(self, cluster: str) -> LabHoursState:
        if self.error:
            raise self.error
        return super().read_state(cluster)

    def known(self, cluster: str) -> float | None:
        return Shortages.read(self.files.shortages).next_try(cluster, self.clock.now())


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_the_hub_knows_each_cluster_that_aws_refuses_and_no_other(rig: Rig) -> None:
    rig.write_state("lab-gpu", SHORT)
    rig.service.look()
    assert (rig.known("lab"), rig.known("lab-gpu")) == (None, 1300)

    rig.write_state("lab-gpu", LabHoursState())
    rig.service.look()
    assert rig.known("lab-gpu") == 1300
    rig.clock.sleep(EVERY_S)
    rig.service.look()
    assert rig.known("lab-gpu") is None


def test_a_file_that_nobody_writes_any_more_says_nothing(rig: Rig) -> None:
    rig.write_state("lab", SHORT)
    rig.service.look()
    rig.clock.sleep(FRESH_S + 1)
    assert rig.known("lab") is None


def test_a_host_that_may_not_read_the_state_says_nothing_and_goes_on(rig: Rig) -> None:
    rig.write_state("lab", SHORT)
    rig.service.look()
    rig.clock.sleep(EVERY_S)
    rig.error = Permanent("AccessDeniedException")
    rig.service.look()
    assert rig.known("lab") is None


def test_without_an_answer_of_aws_the_next_look_tries_again(rig: Rig) -> None:
    rig.write_state("lab", SHORT)
    rig.error = Transient("throttled")
    with pytest.raises(Transient):
        rig.service.look()
    rig.error = None
    rig.service.look()
    assert rig.known("lab") == 1300


@pytest.mark.parametrize("text", ["", "[]", '{"at": 7}', '{"at": 7e9, "next_tries": {"lab": "x"}}'])
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "shortages.json"
    file.write_text(text)
    assert Shortages.read(file).next_try("lab", 7e9) is None


@pytest.mark.parametrize(
    ("refused_at", "next_try"),
    [
        ([], 0),
        ([100], 0),
        ([100, 160], 220),
        ([100, 160, 280], 400),
        # Two instances in each try.
        ([100, 101, 160, 161], 220),
    ],
)
def test_the_next_pause_is_taken_to_be_as_long_as_the_last(
    refused_at: list[float], next_try: float
) -> None:
    assert next_try_at([Refusal(at, Market.SPOT) for at in refused_at]) == next_try
