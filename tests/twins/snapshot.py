"""Snapshots in memory: the twin of the table, held to the same contract suite."""

from labswarm.snapshot import Snapshot


class MemorySnapshots:
    """Implements labswarm.snapshot.Snapshots for one process."""

    def __init__(self) -> None:
        self._newest: dict[str, Snapshot] = {}

    def read_snapshot(self, cluster: str) -> Snapshot | None:
        return self._newest.get(cluster)

    def write_snapshot(self, snapshot: Snapshot) -> bool:
        there = self._newest.get(snapshot.cluster)
        if there and there.taken_at >= snapshot.taken_at:
            return False
        self._newest[snapshot.cluster] = snapshot
        return True
