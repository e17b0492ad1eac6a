"""The snapshot service on the hub's machine, for which systemd starts it on AWS."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from labswarm_lab.nodes import machine
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.simulated import SNAPSHOT, swarm_seen
from labswarm_lab.nodes.simulated_students import STUDENTS
from labswarm_node.config import NodeConfig
from labswarm_node.snapshot_service import serve
from labswarm_node.swarm import StudentService, StudentTask, SwarmNode

LOG = "snapshot.log"
_LOOK_S = 0.2
# As a unit with Restart=on-failure: a person may have repaired a permanent failure.
RESTARTED = 'until "$@"; do sleep 5; done'


def start(settings: NodesSettings, manager: str) -> None:
    """Start the service of the hub's machine, whose instance id is `manager`.

    The cluster's description and the table have to be there. It ends with the machine, and a
    simulated one with the lab. Raises Gone when the machine does not run.
    """
    log = settings.place.nodes_dir / LOG
    if settings.kind == "namespaces":
        command = ["sh", "-c", RESTARTED, "sh", "labswarm-snapshot"]
        machine.start_beside(settings, manager, command, log)
        return
    node_json = settings.place.node_dir(manager) / "node.json"
    with log.open("ab") as out:
        subprocess.Popen(
            [
                *("sh", "-c", RESTARTED, "sh"),
                *(sys.executable, "-m", "labswarm_lab.nodes.snapshots"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **settings.place.mark, "LABSWARM_NODE_CONFIG": str(node_json)},
            start_new_session=True,
        )


class SimulatedSwarm:
    """`Watched` on the file that the emulator's process writes about its twin."""

    def __init__(self, settings: NodesSettings) -> None:
        self._settings = settings

    def nodes(self) -> Sequence[SwarmNode]:
        return swarm_seen(self._settings).nodes()

    def tasks(self) -> Sequence[StudentTask]:
        return swarm_seen(self._settings).tasks()

    def services(self) -> Sequence[StudentService]:
        return swarm_seen(self._settings).services()

    def await_change(self, since: float, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not (changed := self._written_at() >= since) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        return changed

    def _written_at(self) -> float:
        files = [self._settings.place.nodes_dir / name for name in (SNAPSHOT, STUDENTS)]
        return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


def _simulated(config: NodeConfig) -> SimulatedSwarm:
    return SimulatedSwarm(NodesSettings.read(Place.of(config.cluster)))


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:], os.environ, _simulated))
