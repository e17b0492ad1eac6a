"""The launch breakers in memory: the twin of the table, held to the same contract suite."""

from dataclasses import replace

from labswarm.lifecycle.breaker import Breaker


class MemoryBreakers:
    """Implements labswarm.lifecycle.breaker.Breakers for one process."""

    def __init__(self) -> None:
        self._kept: dict[str, Breaker] = {}

    def read_breaker(self, cluster: str) -> Breaker:
        return self._kept.get(cluster, Breaker())

    def failed(self, cluster: str, instance_id: str, at: int) -> Breaker:
        self._kept[cluster] = Breaker(self.read_breaker(cluster).failed | {instance_id}, at)
        return self._kept[cluster]

    def joined(self, cluster: str) -> None:
        self._kept[cluster] = replace(self.read_breaker(cluster), failed=frozenset())
