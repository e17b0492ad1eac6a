"""A hub's settings and tasks."""

from pathlib import Path
from typing import Any

from labswarm_hub.task_spec import SERVICE_LABEL


def task(
    service: str = "jupyter-ada",
    state: str = "running",
    wanted: str = "running",
    node_id: str = "node1",
    **more: Any,
) -> dict[str, Any]:
    return {
        "ServiceID": f"id-of-{service}",
        "CreatedAt": "2026-01-01T00:00:00Z",
        "NodeID": node_id,
        "DesiredState": wanted,
        "Status": {"State": state, "Message": "started"},
        "Spec": {"ContainerSpec": {"Labels": {SERVICE_LABEL: service}}},
    } | more


def laid(folder: Path) -> dict[str, str]:
    """Write a hub's secrets into `folder`, and return the settings that say where they are."""
    (folder / "manager.token").write_text("secret\n")
    (folder / "proxy").mkdir()
    (folder / "proxy/token").write_text("secret\n")
    return {
        "manager_token_file": str(folder / "manager.token"),
        "data_dir": str(folder),
        "conf_dir": str(folder / "conf.d"),
    }


SETTINGS: dict[str, Any] = {
    "lab": True,
    "cluster": "lab",
    "image": "registry/labswarm/notebook@sha256:" + "0" * 64,
    "command": ["python3", "-m", "jupyterhub.singleuser"],
    "seat": {"memory_bytes": 512, "nano_cpus": 250},
    "overhead": {"memory_bytes": 0, "nano_cpus": 0},
    "limit": {"memory_bytes": 1024, "nano_cpus": 1000, "pids": 100},
    "homes": "/homes",
    "data_dir": "/srv/labswarm",
    "authenticator": "dummy",
    "manager_token_file": "/srv/labswarm/manager.token",
    "read_only_mounts": {"/usr": "/usr"},
}


GPU: dict[str, Any] = {
    "image": "registry/labswarm/cuda@sha256:" + "1" * 64,
    "seat": {"memory_bytes": 4096, "nano_cpus": 2000},
    "overhead": {"memory_bytes": 1024, "nano_cpus": 0},
    "limit": {"memory_bytes": 8192, "nano_cpus": 4000, "pids": 500},
}


GROUPS: dict[str, Any] = {
    "groups": {"gpu": GPU},
    "profiles": {"plain": {"title": "A notebook"}, "cuda": {"title": "A GPU", "group": "gpu"}},
}
