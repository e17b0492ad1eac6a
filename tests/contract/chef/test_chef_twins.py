"""The Chef Server of the control plane: two twins, the lab's server and goiardi do the same."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.simulation.chef import ChefTwin
from tests.support.chef_servers import KINDS, Provisioned, make_server
from tests.twins.chef import TwinChefServer

from labswarm.errors import BadInput, Permanent, Transient
from labswarm_lab.chef.keys import KeySigner

IN_MEMORY: dict[str, Callable[[], Any]] = {
    "memory": TwinChefServer,
    "simulation": lambda: ChefTwin().server(),
}


@pytest.fixture(scope="module", params=[*IN_MEMORY, *KINDS])
def chef(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Chef Server that has no client and no node of a test."""
    if request.param in IN_MEMORY:
        yield IN_MEMORY[request.param]()
        return
    server = make_server(request.param, tmp_path_factory.mktemp("chef"))
    server.start()
    try:
        admin = KeySigner.generate()
        server.provision_admin("labswarm", admin.public_pem)
        yield Provisioned(request.param, server, admin).as_admin()
    finally:
        server.stop()


@pytest.fixture
def name() -> str:
    return f"lab-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def pem() -> str:
    return KeySigner.generate().public_pem


def test_a_client_is_listed_until_it_is_deleted(chef: Any, name: str, pem: str) -> None:
    assert name not in chef.list_clients()
    chef.create_client(name, pem)
    assert name in chef.list_clients()
    chef.delete_client(name)
    assert name not in chef.list_clients()


def test_the_same_client_again_is_success(chef: Any, name: str, pem: str) -> None:
    for _ in range(2):
        chef.create_client(name, pem)
    assert chef.list_clients().count(name) == 1


def test_a_client_with_another_key_is_refused_and_keeps_its_own(
    chef: Any, name: str, pem: str
) -> None:
    chef.create_client(name, pem)
    with pytest.raises(Permanent, match="another key"):
        chef.create_client(name, KeySigner.generate().public_pem)
    chef.create_client(name, pem)


def test_to_delete_a_missing_client_or_node_is_success(chef: Any, name: str) -> None:
    for _ in range(2):
        chef.delete_client(name)
        chef.delete_node(name)
    assert name not in {*chef.list_clients(), *chef.list_nodes()}


def test_a_registered_client_has_no_node(chef: Any, name: str, pem: str) -> None:
    chef.create_client(name, pem)
    assert name not in chef.list_nodes()


def test_a_name_that_no_chef_server_takes_is_refused(chef: Any) -> None:
    for call in (chef.delete_client, chef.delete_node):
        with pytest.raises(BadInput, match="name"):
            call("a/../b")


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_a_server_that_is_down_answers_nothing(kind: str) -> None:
    if kind == "memory":
        chef: Any = TwinChefServer()
        chef.down = True
    else:
        twin = ChefTwin()
        twin.up = False
        chef = twin.server()
    with pytest.raises(Transient):
        chef.list_clients()
