"""The service on the hub's machine that applies its document; systemd starts it on AWS."""

from pathlib import Path

from labswarm_lab.nodes import machine
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.snapshots import RESTARTED

LOG = "document.log"
# A person waits for it: a lab's document counts after two seconds.
_EVERY_S = "2"


def start(settings: NodesSettings, manager: str, hub_dir: Path) -> None:
    """Start the service on the machine `manager`, whose hub has its settings in `hub_dir`.

    The table has to be there. It ends with the machine. Raises Gone when the machine does not run.
    """
    command = [
        *("sh", "-c", RESTARTED, "sh"),
        *("labswarm-document", "--every", _EVERY_S, "--folder", str(hub_dir)),
    ]
    machine.start_beside(settings, manager, command, settings.place.nodes_dir / LOG)
