"""Notify students: of a worker that it leaves, of the hub that it goes down, or by a message."""

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from labswarm.errors import Gone, Kind, LabswarmError, Transient
from labswarm.notices import Message, Notice
from labswarm_node.concurrent import for_each
from labswarm_node.hub import Hub
from labswarm_node.swarm import Server, Swarm
from labswarm_node.worker import find

# Servers at a time: a class has hundreds.
_AT_ONCE = 32
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


class Notifies(Protocol):
    """The part of the hub that a notice needs."""

    def notify(self, user: str, server: str, notice: Notice | Message) -> None:
        """As labswarm_node.hub.Hub."""
        ...


def send(
    hub: Notifies, servers: Iterable[tuple[str, str]], notice: Notice | Message
) -> dict[tuple[str, str], Kind | None]:
    """Send a message, or the notice that the hub goes down, to students' servers.

    `servers` are given by student and server name, empty for a default server. Return the outcome
    of each: None when it took the notice, otherwise the kind of error. `gone` is a server that has
    ended, or whose image has no labswarm_notice. One failure delays no other server; each has 3 s.
    """
    from concurrent.futures import ThreadPoolExecutor

    def outcome(server: tuple[str, str]) -> Kind | None:
        try:
            hub.notify(*server, notice)
        except LabswarmError as error:
            return error.kind
        return None

    asked = list(servers)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(asked, pool.map(outcome, asked), strict=True))


def announce_hub(hub: Hub, deadline: int) -> dict[str, Any]:
    """Notify every student with a server that the hub goes down at `deadline` (epoch s).

    `notified` is the number of servers, and `failed` of those that took no notice by the kind of
    error. Raises Transient and Permanent as the hub's list of servers.
    """
    outcomes = list(send(hub, sorted(hub.servers()), Notice("hub", deadline)).values())
    failed = {kind: outcomes.count(kind) for kind in outcomes if kind}
    return {"notified": outcomes.count(None), "failed": failed}
