"""What a node's own client may do, and what only the admin may.

Where goiardi allows more than a Chef Server does, the test says so and holds goiardi to it: when
goiardi changes, the test tells.
"""

import pytest
from chef_servers import NewNode, Provisioned, node

from labswarm.chef import ChefServer
from labswarm_lab.chef.keys import KeySigner

pytestmark = pytest.mark.chef


def test_a_client_makes_reads_and_saves_its_own_node(new_node: NewNode, chef: ChefServer) -> None:
    connection = new_node("lab-i-1001")

    assert connection.request("POST", "/nodes", node("lab-i-1001")).status == 201
    saved = {**node("lab-i-1001"), "run_list": ["role[worker]"]}
    connection.request("PUT", "/nodes/lab-i-1001", saved)

    assert connection.request("GET", "/nodes/lab-i-1001").body["run_list"] == ["role[worker]"]
    assert "lab-i-1001" in chef.list_nodes()


def test_a_node_cannot_be_made_twice(new_node: NewNode, provisioned: Provisioned) -> None:
    connection = new_node("lab-i-1002")
    connection.request("POST", "/nodes", node("lab-i-1002"))

    assert provisioned.status(connection, "POST", "/nodes", node("lab-i-1002")) == 409


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_client_cannot_change_the_node_of_another(
    new_node: NewNode, provisioned: Provisioned, method: str
) -> None:
    new_node("lab-i-1003").request("POST", "/nodes", node("lab-i-1003"))
    other = new_node("lab-i-1004")
    body = node("lab-i-1003") if method == "PUT" else None

    assert provisioned.status(other, method, "/nodes/lab-i-1003", body) == 403


def test_a_client_cannot_save_the_node_that_an_admin_made_for_it(
    new_node: NewNode, provisioned: Provisioned
) -> None:
    """goiardi is lenient here: it goes by the node's name, and not by who made it."""
    connection = new_node("lab-i-1005")
    admin = provisioned.connection("labswarm", provisioned.admin)
    admin.request("POST", "/nodes", node("lab-i-1005"))

    status = provisioned.status(connection, "PUT", "/nodes/lab-i-1005", node("lab-i-1005"))

    assert status == (200 if provisioned.is_goiardi else 403)


def test_a_client_cannot_list_the_clients(new_node: NewNode, provisioned: Provisioned) -> None:
    """goiardi is lenient here: any client lists all."""
    connection = new_node("lab-i-1006")

    status = provisioned.status(connection, "GET", "/clients")

    assert status == (200 if provisioned.is_goiardi else 403)


def test_a_client_sees_itself_and_no_other(new_node: NewNode, provisioned: Provisioned) -> None:
    connection = new_node("lab-i-1007")
    new_node("lab-i-1008")

    assert provisioned.status(connection, "GET", "/clients/lab-i-1007") == 200
    assert provisioned.status(connection, "GET", "/clients/lab-i-1008") == 403


def test_a_client_deletes_itself_and_no_other(
    new_node: NewNode, provisioned: Provisioned, chef: ChefServer
) -> None:
    connection = new_node("lab-i-1009")
    new_node("lab-i-1010")

    assert provisioned.status(connection, "DELETE", "/clients/lab-i-1010") == 403
    assert provisioned.status(connection, "DELETE", "/clients/lab-i-1009") == 200
    assert "lab-i-1010" in chef.list_clients()
    assert "lab-i-1009" not in chef.list_clients()


def test_a_client_cannot_make_clients(
    new_node: NewNode, provisioned: Provisioned, other_key: KeySigner, chef: ChefServer
) -> None:
    connection = new_node("lab-i-1011")
    client = {"name": "lab-i-1012", "clientname": "lab-i-1012", "public_key": other_key.public_pem}

    assert provisioned.status(connection, "POST", "/clients", client) == 403
    assert "lab-i-1012" not in chef.list_clients()
