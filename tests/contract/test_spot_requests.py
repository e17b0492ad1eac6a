"""Requests for spot instances: the twin and EC2 do the same."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator
from tests.support.scaling_group import kept
from tests.twins.spot_requests import TwinSpotRequests

from labswarm.aws.spot_requests import Ec2SpotRequests
from labswarm.lifecycle.spot_requests import SpotRequests

INSTANCE = "i-0123456789abcdef0"


@dataclass(frozen=True)
class Market:
    """Spot requests, an instance, and a way to have EC2 warn it."""

    requests: SpotRequests
    instance_id: str
    warn: Callable[[], object]


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def market(request: pytest.FixtureRequest, name: str) -> Iterator[Market]:
    if request.param == "twin":
        twin = TwinSpotRequests()
        yield Market(twin, INSTANCE, lambda: twin.warned.update({INSTANCE: time.time()}))
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    with kept(emulator, name) as group:
        group.create(1, hooks=[])
        instance_id = group.instance("InService")
        url = f"{emulator.url}/_emulator/interrupt/{instance_id}"
        requests = Ec2SpotRequests(emulator.client("ec2"))
        yield Market(requests, instance_id, lambda: urllib3.request("POST", url, timeout=10))


def test_an_instance_that_nobody_warned_is_not_interrupted(market: Market) -> None:
    assert market.instance_id not in market.requests.interrupted()


def test_a_warned_instance_is_interrupted_since_its_warning(market: Market) -> None:
    before = time.time()

    market.warn()

    assert before - 1 <= market.requests.interrupted()[market.instance_id] <= time.time()
