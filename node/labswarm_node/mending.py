"""Mending what the hub and its Swarm do not agree on: students' services that the hub has lost."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from labswarm.errors import Gone, LabswarmError
from labswarm_node.hub import Hub
from labswarm_node.side_by_side import each
from labswarm_node.swarm import Swarm


def mend(swarm: Swarm, hub: Hub, service_ids: Sequence[str]) -> dict[str, Any]:
    """Remove those of these services of students that the hub does not know.

    Answers which are no student's service (any more), and which were kept since the hub knows
    them. Raises Transient when the Swarm does not answer and, before anything is removed, what the
    hub raises where it does not say of each whether it knows it.
    """
    found = {s.service_id: s.server for s in swarm.services() if s.service_id in service_ids}
    states = each(lambda server: hub.running(server.user, server.name), found.values())
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
