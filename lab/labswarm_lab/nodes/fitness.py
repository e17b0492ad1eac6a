"""The service on each worker that reports on its homes, for which systemd starts it on AWS."""

from labswarm_lab.nodes import machine
from labswarm_lab.nodes.settings import NodesSettings

LOG = "fitness.log"
# As a unit with Restart=always.
_RESTARTED = 'until "$@"; do sleep 5; done'


def start(settings: NodesSettings, instance_id: str) -> None:
    """Start the service of a worker. It ends with the machine.

    Raises Gone when the machine does not run.
    """
    place = settings.place
    command = [
        *("sh", "-c", _RESTARTED, "sh", "labswarm-fitness"),
        *("--homes", str(place.homes)),
        *("--pid-file", str(place.run_dir / instance_id / "docker.pid")),
    ]
    machine.start_beside(settings, instance_id, command, place.node_dir(instance_id) / LOG)
