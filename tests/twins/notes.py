"""Notes in memory: the twin of the table, held to the same contract suite."""

from labswarm.lab_hours.notes import Notes


class MemoryNotebook:
    """Implements labswarm.lab_hours.notes.Notebook for one process."""

    def __init__(self) -> None:
        self._kept: dict[str, Notes] = {}

    def read(self, cluster: str) -> Notes:
        return self._kept.get(cluster, Notes())

    def write(self, cluster: str, notes: Notes) -> None:
        self._kept[cluster] = notes
