"""The permissions of a node's own client, and of the admin alone.

As a new organization of Chef's own server has it: https://docs.chef.io/server/server_orgs/. Where
goiardi allows more, the test says so and holds goiardi to it: when goiardi changes, the test fails.
"""

from datetime import UTC, datetime, timedelta

import pytest
import urllib3
from tests.support.chef_servers import NewNode, Provisioned, node

from labswarm.chef.server import ChefServer, Connection
from labswarm.chef.signing import signed_headers
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
    """goiardi is lenient here: it goes by the node's name, and not by its creator."""
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


def test_a_client_made_again_is_another_and_its_namesakes_node_refuses_it(
    new_node: NewNode, provisioned: Provisioned, chef: ChefServer
) -> None:
    """goiardi is lenient here: it goes by names."""
    new_node("lab-i-1013").request("POST", "/nodes", node("lab-i-1013"))
    chef.delete_client("lab-i-1013")

    again = new_node("lab-i-1013")

    status = provisioned.status(again, "PUT", "/nodes/lab-i-1013", node("lab-i-1013"))
    assert status == (200 if provisioned.is_goiardi else 403)
    assert provisioned.status(again, "GET", "/nodes/lab-i-1013") == 200


def test_the_admin_may_change_and_delete_objects_of_others(
    new_node: NewNode, provisioned: Provisioned, chef: ChefServer
) -> None:
    new_node("lab-i-1014").request("POST", "/nodes", node("lab-i-1014"))
    admin = provisioned.connection("labswarm", provisioned.admin)

    assert provisioned.status(admin, "PUT", "/nodes/lab-i-1014", node("lab-i-1014")) == 200
    assert provisioned.status(admin, "DELETE", "/nodes/lab-i-1014") == 200
    assert provisioned.status(admin, "DELETE", "/clients/lab-i-1014") == 200
    assert "lab-i-1014" not in chef.list_clients()


def test_the_organizations_admin_is_no_admin_of_the_server(provisioned: Provisioned) -> None:
    """goiardi is lenient here: it knows one kind of admin."""
    server = provisioned.server
    admin = Connection(server.url, None, "labswarm", provisioned.admin, server.ca_pem)

    asked = [("GET", "/users"), ("DELETE", "/users/nobody")]
    statuses = [provisioned.status(admin, method, path) for method, path in asked]

    assert statuses == ([200, 404] if provisioned.is_goiardi else [403, 403])
    assert provisioned.status(admin, "GET", "/users/labswarm") == 200


def test_a_client_that_calls_itself_admin_is_none(
    provisioned: Provisioned, other_key: KeySigner, chef: ChefServer
) -> None:
    """goiardi is lenient here: it trusts the creator of the client."""
    client = {"name": "lab-i-1015", "public_key": other_key.public_pem, "admin": True}
    provisioned.connection("labswarm", provisioned.admin).request("POST", "/clients", client)
    itself = provisioned.connection("lab-i-1015", other_key)

    status = provisioned.status(itself, "GET", "/clients")

    chef.delete_client("lab-i-1015")
    assert status == (200 if provisioned.is_goiardi else 403)


def test_there_is_no_validator_and_none_can_be_made(
    provisioned: Provisioned, other_key: KeySigner, chef: ChefServer
) -> None:
    """goiardi has one, whose key nobody holds."""
    if provisioned.is_goiardi:
        assert "chef-validator" in chef.list_clients()
        return
    admin = provisioned.connection("labswarm", provisioned.admin)
    client = {"name": "labs-validator", "public_key": other_key.public_pem, "validator": True}

    assert provisioned.status(admin, "POST", "/clients", client) == 400
    assert not [name for name in chef.list_clients() if "validator" in name]


@pytest.mark.parametrize("organization", [None, "elsewhere"])
def test_a_path_has_to_name_the_organization(
    provisioned: Provisioned, organization: str | None
) -> None:
    """goiardi has none, and answers without."""
    if provisioned.is_goiardi and organization:
        pytest.skip("goiardi answers nothing there, as test_chef_identity.py has it")
    server = provisioned.server
    admin = Connection(server.url, organization, "labswarm", provisioned.admin, server.ca_pem)

    statuses = {provisioned.status(admin, "GET", path) for path in ("/nodes", "/clients")}

    assert statuses == ({200} if provisioned.is_goiardi else {404})


@pytest.mark.parametrize(
    ("actor", "late", "method"),
    [("nobody", timedelta(), "GET"), ("labswarm", timedelta(minutes=16), "GET"),
     ("labswarm", timedelta(minutes=-16), "GET"), ("labswarm", timedelta(), "POST")],
    ids=["unknown actor", "clock before", "clock behind", "signed for another method"],
)  # fmt: skip
def test_who_is_not_known_by_a_signature_of_now_is_refused(
    provisioned: Provisioned, actor: str, late: timedelta, method: str
) -> None:
    server = provisioned.server
    path = f"/organizations/{server.organization}/nodes" if server.organization else "/nodes"
    at = datetime.now(UTC) + late
    headers = signed_headers(method, path, b"", actor, provisioned.admin, at)
    http = urllib3.PoolManager(ca_cert_data=server.ca_pem, retries=False, timeout=10)

    answer = http.request("GET", server.url + path, headers={**headers, "X-Chef-Version": "18.0.0"})

    assert answer.status == 401


def test_who_made_a_node_and_the_admin_see_and_change_who_may_do_what(
    new_node: NewNode, provisioned: Provisioned
) -> None:
    """https://docs.chef.io/server/server_orgs/#permissions; goiardi has no such lists."""
    if provisioned.is_goiardi:
        pytest.skip("goiardi 0.11 has no access control lists")
    maker, other = new_node("lab-i-1016"), new_node("lab-i-1017")
    maker.request("POST", "/nodes", node("lab-i-1016"))
    admin = provisioned.connection("labswarm", provisioned.admin)
    path = "/nodes/lab-i-1016"

    acl = maker.request("GET", f"{path}/_acl").body
    assert acl == admin.request("GET", f"{path}/_acl").body
    assert acl["update"] == {"actors": ["lab-i-1016"], "groups": ["admins", "users"]}
    assert acl["read"]["groups"] == ["admins", "clients", "users"]
    assert provisioned.status(other, "GET", f"{path}/_acl") == 403
    assert provisioned.status(other, "PUT", path, node("lab-i-1016")) == 403

    granted = {"update": {"actors": ["lab-i-1017"], "groups": ["admins"]}}
    assert provisioned.status(other, "PUT", f"{path}/_acl/update", granted) == 403
    admin.request("PUT", f"{path}/_acl/update", granted)

    assert provisioned.status(other, "PUT", path, node("lab-i-1016")) == 200
    assert provisioned.status(maker, "PUT", path, node("lab-i-1016")) == 403


def test_parts_that_the_lab_never_asks_for_are_absent(provisioned: Provisioned) -> None:
    """Roles, cookbooks and search are of Chef's own server: ours answers no empty list."""
    if provisioned.is_goiardi:
        pytest.skip("goiardi has them")
    admin = provisioned.connection("labswarm", provisioned.admin)

    for path in ("/roles", "/cookbooks", "/search/node", "/nodes/a/b", "/containers"):
        assert provisioned.status(admin, "GET", path) == 404
