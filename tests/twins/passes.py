"""The last passes in memory: the twin of the table, held to the same contract suite."""

from dataclasses import replace

from labswarm.reconcile.passes import Pass


class MemoryPasses:
    """Implements labswarm.reconcile.plan.Passes for one process."""

    def __init__(self) -> None:
        self._passes: dict[str, Pass] = {}
        self._wanted: dict[str, float] = {}

    def read_pass(self, cluster: str) -> Pass | None:
        return self._passes.get(cluster)

    def write_pass(self, cluster: str, made: Pass) -> bool:
        there = self._passes.get(cluster)
        if (there.version if there else 0) != made.version:
            return False
        self._passes[cluster] = replace(made, version=made.version + 1)
        self._wanted.pop(cluster, None)
        return True

    def wanted(self, cluster: str, now: float) -> float:
        return self._wanted.setdefault(cluster, now)
