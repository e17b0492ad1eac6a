"""LabHoursState in memory: the twin of the table, held to the same contract suite."""

from labswarm.lab_hours.state import LabHoursState


class MemoryLabHoursStates:
    """Implements labswarm.lab_hours.state.LabHoursStates for one process."""

    def __init__(self) -> None:
        self._kept: dict[str, LabHoursState] = {}

    def read_state(self, cluster: str) -> LabHoursState:
        return self._kept.get(cluster, LabHoursState())

    def write_state(self, cluster: str, state: LabHoursState) -> None:
        self._kept[cluster] = state
