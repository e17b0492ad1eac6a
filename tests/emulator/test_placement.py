"""EC2's spot placement scores, as `labswarm ready` asks for them."""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator

from labswarm_emulator.control import CONTROL

pytestmark = pytest.mark.emulator
TYPES = ["m7i.large", "m6i.large", "m5.large"]


@pytest.fixture
def capacity(emulator: RunningEmulator) -> Iterator[Any]:
    """Sets the types that EC2 has no spot instances of."""
    url = f"{emulator.url}{CONTROL}faults/capacity"

    def lack(*types: str) -> None:
        assert urllib3.request("PUT", url, json={"spot": list(types)}).status == 200

    yield lack
    urllib3.request("DELETE", url)


def scores(emulator: RunningEmulator, **changed: Any) -> list[dict[str, Any]]:
    given = {"InstanceTypes": TYPES, "TargetCapacity": 9, "SingleAvailabilityZone": False}
    found: list[dict[str, Any]] = emulator.client("ec2").get_spot_placement_scores(
        **{**given, **changed}
    )["SpotPlacementScores"]
    return found


@pytest.mark.aws(
    "EC2",
    "GetSpotPlacementScores",
    "A score from 1 to 10 for each region that is asked for; with SingleAvailabilityZone one for "
    "each zone, by the zone's id.",
    "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SpotPlacementScore.html",
)
def test_each_region_or_zone_has_a_score(emulator: RunningEmulator) -> None:
    (region,) = scores(emulator, RegionNames=["eu-west-1"])
    zones = scores(emulator, RegionNames=["eu-west-1"], SingleAvailabilityZone=True)

    assert region.keys() == {"Region", "Score"}
    assert (region["Region"], 1 <= region["Score"] <= 10) == ("eu-west-1", True)
    assert [zone["AvailabilityZoneId"] for zone in zones] == ["euw1-az3", "euw1-az1", "euw1-az2"]
    assert {zone["Score"] for zone in zones} == {region["Score"]}


@pytest.mark.aws(
    "EC2",
    "GetSpotPlacementScores",
    "One or two instance types are always scored low.",
    "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html",
)
def test_two_types_are_scored_low(emulator: RunningEmulator) -> None:
    (three,), (two,) = scores(emulator), scores(emulator, InstanceTypes=TYPES[:2])

    assert two["Score"] < 4 < three["Score"]


@pytest.mark.differs(
    "EC2",
    "GetSpotPlacementScores",
    "9, or 1 while the injected fault `capacity` takes all of the types, for any target capacity. "
    "AWS scores by its own capacity.",
    "no capacity is emulated but the injected fault",
)
def test_types_without_capacity_have_the_lowest_score(
    emulator: RunningEmulator, capacity: Any
) -> None:
    capacity(*TYPES)
    (without,) = scores(emulator)
    capacity(*TYPES[:2])
    (some,) = scores(emulator)

    assert (without["Score"], some["Score"]) == (1, 9)


@pytest.mark.absent(
    "EC2",
    "GetSpotPlacementScores with InstanceRequirementsWithMetadata",
    "UnsupportedOperation.",
)
def test_requirements_are_refused(emulator: RunningEmulator) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="UnsupportedOperation"):
        emulator.client("ec2").get_spot_placement_scores(
            TargetCapacity=1,
            InstanceRequirementsWithMetadata={
                "ArchitectureTypes": ["x86_64"],
                "InstanceRequirements": {
                    "VCpuCount": {"Min": 2},
                    "MemoryMiB": {"Min": 1024},
                },
            },
        )
