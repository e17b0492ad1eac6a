"""Spot placement scores: how likely EC2 is to have so many spot instances.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html
"""

from collections.abc import Sequence

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.faults import CapacityFaults

HIGH, LOW, NONE = 9, 3, 1
"""Scores of 10: with capacity; for a request that AWS always scores low; without capacity."""
LEAST_TYPES = 3
"""AWS scores fewer instance types than this low, whatever capacity there is."""


def install(emulator: Emulator) -> None:
    """Answer GetSpotPlacementScores by the injected faults of capacity."""

    def score(types: Sequence[str]) -> int:
        capacity = emulator.faults.on(CapacityFaults)
        if all(capacity.lacks(each, spot=True) for each in types):
            return NONE
        return HIGH if len(types) >= LEAST_TYPES else LOW

    def get_spot_placement_scores(response: EC2Response) -> ActionResult:
        types = response._get_param("InstanceTypes", [])
        if not types:
            raise EC2ClientError(
                "UnsupportedOperation", "The emulator scores InstanceTypes only, no requirements."
            )
        regions = response._get_param("RegionNames") or [response.region]
        scored = {"Score": score(types)}
        if not response._get_bool_param("SingleAvailabilityZone", False):
            return ActionResult(
                {"SpotPlacementScores": [{"Region": region, **scored} for region in regions]}
            )
        account = ec2_backends[response.current_account]
        return ActionResult(
            {
                "SpotPlacementScores": [
                    {"Region": region, "AvailabilityZoneId": zone.zone_id, **scored}
                    for region in regions
                    for zone in account[region].describe_availability_zones()
                ]
            }
        )

    EC2Response.get_spot_placement_scores = get_spot_placement_scores
