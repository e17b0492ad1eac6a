"""The report of each worker that its agent has started, for which systemd runs it on AWS."""

from labswarm_lab.nodes import machine
from labswarm_lab.nodes.settings import NodesSettings

LOG = "start-report.log"


def start(settings: NodesSettings, instance_id: str) -> None:
    """Start the report of a worker. It ends by itself, or with the machine.

    Raises Gone when the machine does not run.
    """
    log = settings.place.node_dir(instance_id) / LOG
    machine.start_beside(settings, instance_id, ["labswarm-node", "report-start"], log)
