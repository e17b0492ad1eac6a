"""Records of days in memory: the twin of the table, held to the same contract suite."""

from labswarm.usage.usages import DayUse


class MemoryUsages:
    """Implements labswarm.usage.usages.Usages for one process."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], DayUse] = {}

    def read_day(self, cluster: str, day: str) -> DayUse:
        return self._days.get((cluster, day), DayUse(day))

    def write_day(self, cluster: str, use: DayUse, counted_at: float) -> bool:
        if self.read_day(cluster, use.day).counted_at != counted_at:
            return False
        self._days[cluster, use.day] = use
        return True
