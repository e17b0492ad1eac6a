"""Make one call for each of many servers at the same time: a manager command has 5 s in all."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from labswarm.errors import LabswarmError
from labswarm_node.swarm import Server

# The hub answers the calls of one step one after the other; more at once would only wait there.
_AT_ONCE = 16

R = TypeVar("R")


def for_each(
    call: Callable[[Server], R], servers: Iterable[Server]
) -> dict[Server, R | LabswarmError]:
    """Return each server's answer, or the error that its call raised, sorted by service."""

    from concurrent.futures import ThreadPoolExecutor

    def outcome(server: Server) -> R | LabswarmError:
        try:
            return call(server)
        except LabswarmError as error:
            return error

    concerned = by_service(servers)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(concerned, pool.map(outcome, concerned), strict=True))


def by_service(servers: Iterable[Server]) -> list[Server]:
    """Return the servers sorted by the name of their service, which is unique."""
    return sorted(servers, key=lambda server: (server.service, server.user, server.name))
