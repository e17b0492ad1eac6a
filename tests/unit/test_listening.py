"""Whether a server takes connections, also where nothing answers at all."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from labswarm_hub.listening import listens

FAR_LONGER_S = 30


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        yield server


def is_listening(server: socket.socket, patience_s: float) -> bool:
    address, port = server.getsockname()

    async def asked() -> bool:
        return await asyncio.wait_for(listens(address, port, patience_s), FAR_LONGER_S)

    return asyncio.run(asked())


def test_a_server_that_takes_connections_listens(listening: socket.socket) -> None:
    assert is_listening(listening, FAR_LONGER_S)


def test_one_that_refuses_them_does_not(listening: socket.socket) -> None:
    closed = listening.dup()
    address, port = listening.getsockname()
    listening.close()
    closed.close()
    assert not asyncio.run(listens(address, port, FAR_LONGER_S))


def test_where_nothing_answers_at_all_it_is_not_waited_for(listening: socket.socket) -> None:
    """As on a node that was killed. With its queue full, Linux drops what else asks for a
    connection: https://man7.org/linux/man-pages/man2/listen.2.html."""
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(listening.getsockname())
    try:
        assert not is_listening(listening, 0.2)
    finally:
        for one in waiting:
            one.close()
