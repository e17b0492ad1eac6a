"""Where one lab's machines are on this one: every name that is made of the lab's name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from labswarm.errors import BadInput

# With `ls-` before it, a name of a network interface: 15 characters at most (IFNAMSIZ).
_LAB = re.compile(r"[a-z][a-z0-9-]{0,11}")
_STATE_ROOT = "/var/lib/labswarm"
_RUN_ROOT = "/run/labswarm"

MARK = "LABSWARM_PROCESS_OF"
"""Every process of a lab has the lab's folder in this environment variable."""


@dataclass(frozen=True)
class Place:
    """One lab on this machine. Raises BadInput for a name that cannot be an interface's."""

    lab: str
    state_root: Path = Path(_STATE_ROOT)
    run_root: Path = Path(_RUN_ROOT)

    def __post_init__(self) -> None:
        if not _LAB.fullmatch(self.lab):
            raise BadInput("name", f"{self.lab!r} is no lab's name; write one like {_LAB.pattern}")

    @classmethod
    def of(cls, lab: str) -> "Place":
        """The place of a lab; LABSWARM_STATE names another folder for all labs' state.

        Without being root, when nodes are simulated, it is in the user's own folder for such.
        """
        if os.geteuid() == 0:
            return cls(lab, Path(os.environ.get("LABSWARM_STATE", _STATE_ROOT)))
        own = Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "labswarm"
        root = Path(os.environ.get("LABSWARM_STATE", own))
        return cls(lab, root, root / "run")

    @property
    def bridge(self) -> str:
        """The network that joins the lab's machines."""
        return f"ls-{self.lab}"

    @property
    def cgroup(self) -> str:
        """The folder of the lab's containers in each cgroup hierarchy, without the leading `/`."""
        return f"labswarm-{self.lab}"

    @property
    def state_dir(self) -> Path:
        """The lab's files on disk."""
        return self.state_root / self.lab

    @property
    def homes(self) -> Path:
        """The students' homes, the one thing that stays after the lab."""
        return self.state_dir / "homes"

    @property
    def nodes_dir(self) -> Path:
        """A folder per machine, and the settings of them all."""
        return self.state_dir / "nodes"

    @property
    def registry_dir(self) -> Path:
        """The images that the machines pull."""
        return self.state_dir / "registry"

    @property
    def run_dir(self) -> Path:
        """The machines' sockets."""
        return self.run_root / self.lab

    @property
    def mark(self) -> dict[str, str]:
        """The environment that marks a process of this lab for `sweep`."""
        return {MARK: str(self.state_dir)}

    def node_dir(self, instance_id: str) -> Path:
        """One machine's folder."""
        return self.nodes_dir / instance_id

    def docker_socket(self, instance_id: str) -> Path:
        """One machine's Docker Engine, as seen from this machine and from within."""
        return self.run_dir / instance_id / "docker.sock"
