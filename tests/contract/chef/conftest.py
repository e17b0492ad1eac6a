"""Every Chef Server that the suite is held to, running and provisioned."""

from collections.abc import Iterator

import pytest
from tests.support.chef_servers import KINDS, NewNode, Provisioned, make_server

from labswarm.chef.server import ChefServer, Connection
from labswarm_lab.chef.keys import KeySigner


@pytest.fixture(scope="session", params=KINDS)
def provisioned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provisioned]:
    """One server of each kind for all: every test uses names of its own."""
    server = make_server(request.param, tmp_path_factory.mktemp("chef"))
    server.start()
    try:
        admin = KeySigner.generate()
        server.provision_admin("labswarm", admin.public_pem)
        yield Provisioned(request.param, server, admin)
    finally:
        server.stop()


@pytest.fixture
def chef(provisioned: Provisioned) -> ChefServer:
    """The server as the control plane sees it."""
    return provisioned.as_admin()


@pytest.fixture(scope="session")
def key() -> KeySigner:
    """A node's key; keys are slow to make, so tests share two."""
    return KeySigner.generate()


@pytest.fixture(scope="session")
def other_key() -> KeySigner:
    """Another node's key."""
    return KeySigner.generate()


@pytest.fixture
def new_node(chef: ChefServer, key: KeySigner, provisioned: Provisioned) -> Iterator[NewNode]:
    """Registers a client and gives its connection; all are gone after the test."""
    names: list[str] = []

    def register(name: str) -> Connection:
        names.append(name)
        chef.create_client(name, key.public_pem)
        return provisioned.connection(name, key)

    yield register
    for name in names:
        chef.delete_client(name)
        chef.delete_node(name)
