"""Notify the students on a worker that it leaves: a notice to each of their servers."""

import time
from collections.abc import Callable
from typing import Any

from labswarm.errors import Gone, LabswarmError, Transient
from labswarm.notices import Notice
from labswarm_node.concurrent import for_each
from labswarm_node.hub import Hub
from labswarm_node.swarm import Server, Swarm
from labswarm_node.worker import find

# With the 3 s that the last of them may take, less than the 5 s of a manager command.
_BEGIN_WITHIN_S = 1.5


def notify(
    swarm: Swarm,
    hub: Hub,
    instance_id: str,
    notice: Notice,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Send the notice to every student's server on the worker; it replaces an earlier notice.

    `failed` names each server that got none with the kind of error: `gone` when the server has
    ended or its image has no labswarm_notice. One failure delays no other server. Raises Gone when
    the Swarm has no such worker, Transient when it does not answer.
    """
    node = find(swarm, instance_id)
    if node is None:
        raise Gone(f"no node of the Swarm is {instance_id}")
    # On a worker that is down no student is left.
    there = [] if node.state == "down" else swarm.servers_on(node.node_id)
    begin_by = clock() + _BEGIN_WITHIN_S

    def send(server: Server) -> None:
        if clock() > begin_by:
            raise Transient("there was no time left for it")
        hub.notify(server.user, server.name, notice)

    outcomes = for_each(send, there)
    return {
        "notified": [server.service for server, error in outcomes.items() if error is None],
        "failed": {
            server.service: error.kind
            for server, error in outcomes.items()
            if isinstance(error, LabswarmError)
        },
    }
