"""The Swarm service of one student's server, as the Engine API takes it (1.41, Docker 20.10).

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Service/operation/ServiceCreate
Plain dictionaries, because docker-py's types have no process limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labswarm import labels
from labswarm.homes import home_name
from labswarm_hub.homes import EXAMS, GID, UID
from labswarm_hub.names import service_name
from labswarm_hub.settings import Group, HubSettings

HOME = "/home/jovyan"
USER_LABEL, SERVER_LABEL, SERVICE_LABEL = labels.USER, labels.SERVER, labels.SERVICE
CLUSTER_LABEL, REFUSED_BY_LABEL = labels.CLUSTER, labels.REFUSED_BY
UNFIT_LABEL = labels.UNFIT

# No node meets this constraint, so a task that waits for a seat stays pending and Swarm does not
# start it on a node's overhead. The cluster grows by the number of pending tasks.
WAITS_FOR_A_SEAT = labels.WAITS_FOR_A_SEAT

_STOP_GRACE_NS = 10 * 10**9


@dataclass(frozen=True)
class Server:
    """One server of one student; `name` is empty for the default one."""

    user: str
    name: str = ""

    @property
    def service(self) -> str:
        """The name of its Swarm service."""
        return service_name(self.user, self.name)


def service_spec(
    settings: HubSettings,
    group: Group,
    server: Server,
    node_id: str | None,
    args: Sequence[str],
    environment: Mapping[str, str],
    refused_by: Sequence[str] = (),
    folders: Sequence[Mapping[str, Any]] = (),
    exam: str | None = None,
) -> dict[str, Any]:
    """Return the arguments of docker-py's `create_service` for a server on a node.

    Without a node the server waits for a seat. `args` are the words that start it. `refused_by` are
    the ids of the nodes on which this start has failed so far; labswarm-snapshot reads them from
    the task. The `group`'s seat is reserved, so that Swarm never gives it to two servers. `folders`
    are further mounts (labswarm_hub.folders). A server of an `exam` (its key) has a home of the
    exam's.
    """
    labels = {
        USER_LABEL: server.user,
        SERVER_LABEL: server.name,
        SERVICE_LABEL: server.service,
        CLUSTER_LABEL: group.cluster,
    }
    if refused_by:
        labels[REFUSED_BY_LABEL] = ",".join(sorted(set(refused_by)))
    return {
        "name": server.service,
        "labels": labels,
        "mode": {"Replicated": {"Replicas": 1}},
        # No virtual IP: the hub uses the task's own address, and not every kernel has IPVS.
        "endpoint_spec": {"Mode": "dnsrr"},
        "task_template": {
            "ContainerSpec": {
                "Image": group.image,
                # Not its Command, which would replace the image's ENTRYPOINT and so skip the
                # start hooks of docker-stacks and repo2docker.
                "Args": list(args),
                "Env": [f"{name}={value}" for name, value in sorted(environment.items())],
                "Labels": labels,
                "Dir": HOME,
                "Init": True,
                "StopGracePeriod": _STOP_GRACE_NS,
                "Mounts": [*_mounts(settings, group, server, exam), *folders],
                **_UNPRIVILEGED,
            },
            "Resources": _resources(group),
            # Swarm would restart a task without the hub's knowledge, and its kernels would be gone.
            # Without a restart the hub sees the end, and the student reads it.
            "RestartPolicy": {"Condition": "none", "MaxAttempts": 0},
            "Placement": {"Constraints": ["node.role==worker", _place(node_id)]},
            "Networks": [{"Target": settings.network}],
        },
    }


def home_of(settings: HubSettings, server: Server, exam: str | None) -> Path:
    """Return the home of a server; `exam` is the key of its exam, if any."""
    folder = settings.homes if exam is None else settings.homes / EXAMS / exam
    return folder / home_name(server.user)


_UNPRIVILEGED = {
    "User": f"{UID}:{GID}",
    "CapabilityDrop": ["ALL"],
    # The Engine knows this from API 1.44 on; older ones ignore it.
    "Privileges": {"NoNewPrivileges": True},
}


def _place(node_id: str | None) -> str:
    return WAITS_FOR_A_SEAT if node_id is None else f"node.id=={node_id}"


def _resources(group: Group) -> dict[str, Any]:
    seat, limit = group.seat, group.limit
    return {
        "Reservations": {"MemoryBytes": seat.memory_bytes, "NanoCPUs": seat.nano_cpus},
        "Limits": {
            "MemoryBytes": limit.memory_bytes,
            "NanoCPUs": limit.nano_cpus,
            "Pids": limit.pids,
        },
    }


def _mounts(
    settings: HubSettings, group: Group, server: Server, exam: str | None
) -> list[dict[str, Any]]:
    home = {
        "Type": "bind",
        "Source": str(home_of(settings, server, exam)),
        "Target": HOME,
    }
    shared = [
        {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True}
        for source, target in sorted(settings.read_only_mounts.items())
    ]
    return [home, _tmp(group, server), *shared]


def _tmp(group: Group, server: Server) -> dict[str, Any]:
    """Return the mount of /tmp: memory of the server, so that no student fills the node's disk.

    A mount of the type `tmpfs` would be `noexec` (moby, daemon/oci_linux.go), and packages are
    built in /tmp. The volume has a name, because Swarm makes a second one for each without.
    """
    size = group.limit.memory_bytes // 2
    options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size},mode=1777,nosuid,nodev"}
    return {
        "Type": "volume",
        "Source": f"{server.service}-tmp",
        "Target": "/tmp",  # noqa: S108  # the container's own
        "VolumeOptions": {
            "NoCopy": True,
            "DriverConfig": {"Name": "local", "Options": options},
        },
    }
