"""Registering and removing a node's identity: the same on the lab's server and on goiardi."""

import pytest
from tests.support.chef_servers import NewNode, Provisioned, node

from labswarm.chef.server import ChefServer
from labswarm.errors import Permanent, Transient
from labswarm_lab.chef.ca import Authority
from labswarm_lab.chef.keys import KeySigner

pytestmark = pytest.mark.chef


def test_a_registered_client_is_listed_and_may_sign(new_node: NewNode, chef: ChefServer) -> None:
    connection = new_node("lab-i-0001")

    assert "lab-i-0001" in chef.list_clients()
    assert connection.request("GET", "/nodes").status == 200


def test_registering_makes_no_node(new_node: NewNode, chef: ChefServer) -> None:
    new_node("lab-i-0002")

    assert "lab-i-0002" not in chef.list_nodes()
    assert chef.get_node("lab-i-0002") is None


def test_registering_again_with_the_same_key_succeeds(
    new_node: NewNode, chef: ChefServer, key: KeySigner
) -> None:
    connection = new_node("lab-i-0003")

    chef.create_client("lab-i-0003", key.public_pem)

    assert connection.request("GET", "/nodes").status == 200


def test_the_same_key_in_other_line_breaks_is_the_same_key(
    new_node: NewNode, chef: ChefServer, key: KeySigner
) -> None:
    new_node("lab-i-0004")

    chef.create_client("lab-i-0004", key.public_pem.replace("\n", "\r\n"))


def test_registering_with_another_key_is_refused_and_changes_nothing(
    new_node: NewNode, chef: ChefServer, other_key: KeySigner
) -> None:
    connection = new_node("lab-i-0005")

    with pytest.raises(Permanent, match=r"lab-i-0005.*another key"):
        chef.create_client("lab-i-0005", other_key.public_pem)

    assert connection.request("GET", "/nodes").status == 200


def test_a_text_that_is_no_key_is_refused(chef: ChefServer) -> None:
    with pytest.raises(Permanent, match="400"):
        chef.create_client("lab-i-0006", "no key")


def test_a_deleted_client_is_refused_at_once(new_node: NewNode, chef: ChefServer) -> None:
    connection = new_node("lab-i-0007")

    chef.delete_client("lab-i-0007")

    with pytest.raises(Permanent, match="401"):
        connection.request("GET", "/nodes")
    assert "lab-i-0007" not in chef.list_clients()


def test_deleting_twice_succeeds(new_node: NewNode, chef: ChefServer) -> None:
    new_node("lab-i-0008").request("POST", "/nodes", node("lab-i-0008"))

    for _ in range(2):
        chef.delete_client("lab-i-0008")
        chef.delete_node("lab-i-0008")

    assert "lab-i-0008" not in chef.list_nodes()


def test_a_deleted_identity_can_be_registered_with_another_key(
    new_node: NewNode, chef: ChefServer, other_key: KeySigner, provisioned: Provisioned
) -> None:
    new_node("lab-i-0009")
    chef.delete_client("lab-i-0009")

    chef.create_client("lab-i-0009", other_key.public_pem)

    again = provisioned.connection("lab-i-0009", other_key)
    assert again.request("GET", "/nodes").status == 200


def test_a_key_that_is_not_the_actors_is_refused(
    new_node: NewNode, provisioned: Provisioned, other_key: KeySigner
) -> None:
    new_node("lab-i-0010")

    with pytest.raises(Permanent, match="401") as refused:
        provisioned.connection("lab-i-0010", other_key).request("GET", "/nodes")
    assert "PRIVATE" not in str(refused.value)


def test_an_authority_that_did_not_issue_the_certificate_is_not_trusted(
    provisioned: Provisioned,
) -> None:
    server = provisioned.server
    elsewhere = ChefServer(
        server.url, server.organization, "labswarm", provisioned.admin, Authority().pem
    )

    with pytest.raises(Transient, match="not trusted"):
        elsewhere.list_nodes()


def test_an_organization_that_the_server_does_not_have_is_no_empty_list(
    provisioned: Provisioned,
) -> None:
    """goiardi answers 200 and nothing there, the twin 404: neither may pass for "no nodes"."""
    server = provisioned.server
    elsewhere = ChefServer(server.url, "elsewhere", "labswarm", provisioned.admin, server.ca_pem)

    with pytest.raises(Permanent):
        elsewhere.list_nodes()
