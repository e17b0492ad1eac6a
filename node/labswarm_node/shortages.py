"""The clusters to which AWS sells no machines at present: from lab hours to the hub's folder."""

import json
import logging
from collections.abc import Iterable

from labswarm.cluster import group_cluster
from labswarm.errors import Permanent
from labswarm.lab_hours.state import LabHoursStates
from labswarm.shortages import Shortages
from labswarm_node.clock import Clock
from labswarm_node.document import Files, write_whole

EVERY_S = 30.0
"""Lab hours look at a cluster every minute, and the hub believes a file of two minutes."""

log = logging.getLogger("labswarm-document")


class ShortageService:
    """Writes the shortages of a hub's own cluster and of its further groups of workers."""

    def __init__(self, cluster: str, states: LabHoursStates, files: Files, clock: Clock) -> None:
        self._cluster = cluster
        self._states = states
        self._files = files
        self._clock = clock
        self._looked_at = 0.0

    def look(self) -> None:
        """Write the file again, if it is time.

        Raises Transient when AWS does not answer; the next look tries again.
        """
        now = self._clock.now()
        if now - self._looked_at < EVERY_S:
            return
        try:
            found = {cluster: self._states.read_state(cluster) for cluster in self._clusters()}
        except Permanent as error:
            # The document goes on: a student in line reads one sentence less.
            log.warning("lab hours' state cannot be read: %s", error)
            found = {}
        self._looked_at = now
        tries = {name: state.next_try_at for name, state in found.items() if state.refused}
        write_whole(self._files.shortages, Shortages(now, tries).to_json())

    def _clusters(self) -> Iterable[str]:
        groups = json.loads(self._files.base.read_text()).get("groups", {})
        return [self._cluster, *(group_cluster(self._cluster, name) for name in groups)]
