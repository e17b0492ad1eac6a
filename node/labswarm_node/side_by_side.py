"""One call for each of many servers, side by side: the manager's whole command has 5 s."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from labswarm.errors import LabswarmError
from labswarm_node.swarm import Server

# A step's calls to the hub wait for one another on it.
_SIDE_BY_SIDE = 16

R = TypeVar("R")


def each(call: Callable[[Server], R], servers: Iterable[Server]) -> dict[Server, R | LabswarmError]:
    """What the call answered for each server, in their order, or the error it raised."""

    from concurrent.futures import ThreadPoolExecutor

    def outcome(server: Server) -> R | LabswarmError:
        try:
            return call(server)
        except LabswarmError as error:
            return error

    concerned = in_order(servers)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return dict(zip(concerned, pool.map(outcome, concerned), strict=True))


def in_order(servers: Iterable[Server]) -> list[Server]:
    """The servers by service, which no two share."""
    return sorted(servers, key=lambda server: (server.service, server.user, server.name))
