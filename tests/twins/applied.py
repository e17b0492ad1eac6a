"""The hubs' reports in memory: the twin of the parameters."""

from labswarm.document.applied import NOTHING, Applied


class MemoryReports:
    """Implements labswarm.document.applied.Reports for one process."""

    def __init__(self) -> None:
        self._reports: dict[str, Applied] = {}

    def read_applied(self, cluster: str) -> Applied:
        return self._reports.get(cluster, NOTHING)

    def read_reports(self) -> dict[str, Applied]:
        return dict(self._reports)

    def report_applied(self, cluster: str, applied: Applied) -> None:
        self._reports[cluster] = applied
