"""Reports of readiness in memory: the twin of the table, held to the same contract suite."""

from labswarm.readiness.reports import Report


class MemoryReports:
    """Implements labswarm.readiness.reports.ReadyReports for one process."""

    def __init__(self) -> None:
        self._reports: dict[str, Report] = {}

    def read_report(self, cluster: str) -> Report | None:
        return self._reports.get(cluster)

    def write_report(self, cluster: str, report: Report, before: Report | None) -> bool:
        there = self._reports.get(cluster)
        if there and (before is None or there.checked_at != before.checked_at):
            return False
        self._reports[cluster] = report
        return True
