"""Remove students' services that the hub does not know (any more): they hold seats for nobody."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from labswarm.errors import Gone, LabswarmError
from labswarm_node.concurrent import for_each
from labswarm_node.hub import Hub
from labswarm_node.swarm import Swarm


def remove_lost_services(swarm: Swarm, hub: Hub, service_ids: Sequence[str]) -> dict[str, Any]:
    """Remove those of these students' services that the hub does not know.

    Returns `removed`, the ids that belong to no student's service (any more), and `kept`, the ids
    that the hub knows. Raises Transient when the Swarm does not answer. Raises the hub's error,
    before anything is removed, when the hub does not answer for every server.
    """
    found = {s.service_id: s.server for s in swarm.services() if s.service_id in service_ids}
    states = for_each(lambda server: hub.running(server.user, server.name), found.values())
    for state in states.values():
        if isinstance(state, LabswarmError):
            raise state
    unknown = [service_id for service_id, server in found.items() if states[server] == "absent"]
    for service_id in unknown:
        with suppress(Gone):
            swarm.remove_service(service_id)
    kept = found.keys() - set(unknown)
    return {
        "removed": [service_id for service_id in service_ids if service_id not in kept],
        "kept": [service_id for service_id in service_ids if service_id in kept],
    }
