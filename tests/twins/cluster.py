"""The clusters' descriptions in memory."""

import json
from typing import Any

from labswarm.cluster import Cluster
from labswarm.errors import BadInput


class TwinClusters:
    """Implements labswarm.cluster.Clusters; `described` maps a name to its description."""

    def __init__(self, *described: dict[str, Any]) -> None:
        self._texts = {each["name"]: json.dumps(each) for each in described}

    def read_cluster(self, name: str) -> Cluster:
        if name not in self._texts:
            raise BadInput(
                "cluster", f"{name!r} has no parameter /labswarm/clusters/{name}; apply its stack"
            )
        return Cluster.parse(self._texts[name])

    def names(self) -> list[str]:
        return sorted(self._texts)
