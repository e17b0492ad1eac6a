"""Requests for spot instances, over EC2."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from labswarm.aws.errors import named

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# The instance has its two minutes, and ends or stops then:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html
WARNED = ["marked-for-termination", "marked-for-stop"]


class Ec2SpotRequests:
    """Implements labswarm.lifecycle.spot_requests.SpotRequests."""

    def __init__(self, client: "EC2Client") -> None:
        self._client = client

    def interrupted(self) -> Mapping[str, float]:
        with named():
            answer = self._client.describe_spot_instance_requests(
                Filters=[{"Name": "status-code", "Values": WARNED}]
            )
        return {
            request["InstanceId"]: request["Status"]["UpdateTime"].timestamp()
            for request in answer["SpotInstanceRequests"]
            if "InstanceId" in request
        }
