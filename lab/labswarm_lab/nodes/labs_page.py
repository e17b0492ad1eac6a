"""The page for instructors on the hub's machine, for which systemd starts it on AWS."""

from pathlib import Path

from labswarm_lab.nodes import machine
from labswarm_lab.nodes.settings import NodesSettings

LOG = "labs.log"
# As a unit with Restart=always.
_RESTARTED = 'until "$@"; do sleep 5; done'


def start(settings: NodesSettings, manager: str, hub_dir: Path, idle_timeout_s: int) -> None:
    """Start the page on the hub's machine, whose instance id is `manager`.

    `hub_dir` has the tokens. It ends with the machine. Raises Gone when that does not run.
    """
    command = [
        *("labswarm-labs", "--token-file", str(hub_dir / "labs.token")),
        *("--hub-token-file", str(hub_dir / "manager.token"), "--idle", str(idle_timeout_s)),
    ]
    machine.start_beside(
        settings,
        manager,
        ["sh", "-c", _RESTARTED, "sh", *command],
        settings.place.nodes_dir / LOG,
    )
