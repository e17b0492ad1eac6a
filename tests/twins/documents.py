"""Documents in memory: the twin of the table, held to the same contract suite."""

from labswarm.document.documents import NONE, Outdated, Version


class MemoryDocuments:
    """Implements labswarm.document.documents.Documents for one process."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, Version]] = {}

    def newest(self, cluster: str) -> Version:
        return next(iter(self.history(cluster, 1)), NONE)

    def version(self, cluster: str, number: int) -> Version | None:
        return self._versions.get(cluster, {}).get(number)

    def history(self, cluster: str, most: int) -> list[Version]:
        there = self._versions.get(cluster, {})
        return [there[number] for number in sorted(there, reverse=True)][:most]

    def add(self, cluster: str, version: Version) -> None:
        there = self._versions.setdefault(cluster, {})
        if there.setdefault(version.number, version) != version:
            raise Outdated(self.newest(cluster))
