"""`labswarm-chef-client` does at a Chef Server what a first chef-client run does."""

from pathlib import Path

import pytest
from tests.support.chef_servers import Provisioned

from labswarm.chef.server import ChefServer
from labswarm_lab.chef.client import main
from labswarm_lab.chef.keys import KeySigner

pytestmark = pytest.mark.chef


@pytest.fixture
def client_rb(provisioned: Provisioned, key: KeySigner, tmp_path: Path) -> Path:
    """The client.rb of a node that has a key, and is not registered."""
    server = provisioned.server
    key.write(tmp_path / "client.pem")
    (tmp_path / "ca.pem").write_text(server.ca_pem)
    organization = f"/organizations/{server.organization}" if server.organization else ""
    config = tmp_path / "client.rb"
    config.write_text(
        f"# written by labswarm-node\n"
        f'chef_server_url "{server.url}{organization}"\n'
        f"node_name       'lab-i-3000'\n"
        f'client_key "{tmp_path}/client.pem"\n'
        f'ssl_ca_file "{tmp_path}/ca.pem"  # the lab\'s own\n'
    )
    return config


@pytest.fixture
def registered(chef: ChefServer, key: KeySigner) -> str:
    """The node's client, without a node object."""
    chef.delete_node("lab-i-3000")
    chef.create_client("lab-i-3000", key.public_pem)
    return "lab-i-3000"


def test_the_first_run_makes_the_node_with_its_run_list_and_facts(
    client_rb: Path, registered: str, chef: ChefServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--once", "--config", str(client_rb), "--runlist", "role[worker]"]) == 0

    node = chef.get_node(registered)
    assert node is not None
    assert node["run_list"] == ["role[worker]"]
    assert node["automatic"]["ipaddress"] == "127.0.0.1"
    assert node["automatic"]["labswarm_client"] == "stand-in"
    assert {"hostname", "fqdn", "platform", "ohai_time"} <= set(node["automatic"])
    assert "no recipe was run" in capsys.readouterr().out


def test_a_second_run_saves_the_same_node_again_and_keeps_its_run_list(
    client_rb: Path, registered: str, chef: ChefServer
) -> None:
    main(["-c", str(client_rb), "-r", "role[worker],base"])
    first = chef.get_node(registered)
    assert main(["-c", str(client_rb)]) == 0

    second = chef.get_node(registered)
    assert first is not None
    assert second is not None
    assert second["run_list"] == ["role[worker]", "recipe[base]"]
    assert second["automatic"]["ohai_time"] > first["automatic"]["ohai_time"]


@pytest.mark.usefixtures("registered")
def test_a_client_that_was_deleted_ends_with_a_clear_message(
    client_rb: Path, chef: ChefServer, capsys: pytest.CaptureFixture[str]
) -> None:
    chef.delete_client("lab-i-3000")

    assert main(["-c", str(client_rb), "-r", "role[worker]"]) == 1

    written = capsys.readouterr()
    assert written.err == ""
    said = written.out
    assert " FATAL: " in said.splitlines()[-1]
    assert "'lab-i-3000'" in said
    assert "401" in said
    assert "lab-i-3000" not in chef.list_nodes()


@pytest.mark.usefixtures("registered")
def test_flags_override_the_configuration(
    client_rb: Path, provisioned: Provisioned, chef: ChefServer, other_key: KeySigner
) -> None:
    chef.create_client("lab-i-3001", other_key.public_pem)
    other_key.write(client_rb.parent / "other.pem")

    flags = ["-N", "lab-i-3001", "-k", str(client_rb.parent / "other.pem")]
    assert main(["-c", str(client_rb), "-r", "role[hub]", *flags]) == 0

    node = chef.get_node("lab-i-3001")
    assert node is not None
    assert node["run_list"] == ["role[hub]"]
