"""The cookbooks' files that prepare the lab's nodes and need no Chef."""

import json
from pathlib import Path
from typing import Any

_COOKBOOKS = Path(__file__).resolve().parents[3] / "cookbooks"
_BASE = _COOKBOOKS / "labswarm_base/files/default"
_HUB = _COOKBOOKS / "labswarm_hub/files/default"
_WORKER = _COOKBOOKS / "labswarm_worker/files/default"

STUDENT_FIREWALL = _WORKER / "labswarm-student-firewall"
"""The program that loads the firewall of students' containers: its one argument is a `conf`."""

CLASS_FILES = {
    _WORKER / "jupyter_server_config.json": "/etc/jupyter/jupyter_server_config.d/labswarm.json",
    _WORKER / "ipython_config.py": "/etc/ipython/ipython_config.py",
    _WORKER / "jupyter_server_path.py": "/etc/labswarm/jupyter/jupyter_server_config.py",
    _WORKER / "labswarm_notice.py": "/etc/labswarm/jupyter/labswarm_notice.py",
    _WORKER / "labswarm_limits.py": "/etc/labswarm/jupyter/labswarm_limits.py",
    _WORKER / "overrides.json": ("/etc/labswarm/jupyter/labconfig/default_setting_overrides.json"),
    _WORKER / "jupyterlab-labswarm": "/etc/labswarm/jupyter/labextensions/jupyterlab-labswarm",
}
"""The files that are mounted into each student's server, and where (as labswarm_hub has it)."""


def engine_settings() -> dict[str, Any]:
    """The Docker Engine's settings on every node (daemon.json)."""
    settings: dict[str, Any] = json.loads((_BASE / "engine.json").read_text())
    return settings


def seccomp_profile() -> str:
    """The profile (JSON) that says which system calls a container of a node may make."""
    return (_BASE / "seccomp.json").read_text()


def network_parameters() -> dict[str, int | str]:
    """The kernel's parameters on every node, as far as a network namespace has its own."""
    parameters = json.loads((_BASE / "sysctl.json").read_text())
    return {name: value for name, value in parameters.items() if name.startswith("net.")}


def hub_network_parameters() -> dict[str, str]:
    """The kernel's parameters in the hub's own network, as the Engine's API has them."""
    parameters = json.loads((_HUB / "sysctl.json").read_text())
    return {name: str(value) for name, value in parameters.items()}


def student_firewall_conf() -> str:
    """The configuration of a worker's firewall. There is no name server: a lab has none."""
    unreachable = json.loads((_WORKER / "unreachable.json").read_text())
    return f"unreachable='{' '.join(unreachable)}'\n"
