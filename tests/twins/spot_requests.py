"""Requests for spot instances in memory."""

from collections.abc import Mapping


class TwinSpotRequests:
    """Implements labswarm.lifecycle.spot_requests.SpotRequests.

    `warned` maps each interrupted instance to the time of its warning."""

    def __init__(self) -> None:
        self.warned: dict[str, float] = {}

    def interrupted(self) -> Mapping[str, float]:
        return dict(self.warned)
