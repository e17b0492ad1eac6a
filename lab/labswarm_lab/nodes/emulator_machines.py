"""How the emulator comes to its machines; its process is started with `--machines FACTORY`."""

from labswarm_emulator.emulator import Settings
from labswarm_emulator.machines import Machines
from labswarm_lab.nodes.settings import FILE, NodesSettings

FACTORY = f"{__name__}:from_settings"


def from_settings(settings: Settings) -> Machines:
    """The machines of the lab whose emulator has these settings.

    The emulator's state folder is in the lab's, next to `nodes`. Raises OSError when the lab's
    settings are not there yet.
    """
    nodes = NodesSettings.parse((settings.state_dir.parent / "nodes" / FILE).read_text())
    if nodes.kind == "simulated":
        from labswarm_lab.nodes.simulated import SimulatedMachines

        return SimulatedMachines(nodes)
    from labswarm_lab.nodes.namespaces import NamespaceMachines

    return NamespaceMachines(nodes)
