"""A failed run says why, whichever chef-client the node has.

The stand-in and, where one is installed, a real chef-client are put to the same failures as
processes. `outputs/` has three failures as Chef Infra Client 18.11.21 wrote them on Debian 12 with
`--no-color`; names of hosts and folders are replaced.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.chef_servers import Provisioned

from labswarm.chef.server import ChefServer
from labswarm.errors import Transient
from labswarm_lab.chef.keys import KeySigner
from labswarm_node.chef_identity import client_rb, write_private
from labswarm_node.chef_output import why_it_failed
from labswarm_node.chef_run import Ended, converge, run_client
from labswarm_node.config import ChefConfig

OUTPUTS = Path(__file__).parent / "outputs"
STAND_IN = f"{sys.executable} -m labswarm_lab.chef.client"
NODE = "db-i-0123456789abcdef0"
Configured = Callable[[str, str], ChefConfig]


def _real() -> str | None:
    return next(filter(None, map(shutil.which, ("chef-client", "cinc-client"))), None)


@pytest.fixture(
    params=[
        STAND_IN,
        pytest.param(
            f"{_real()} --no-color",
            marks=pytest.mark.skipif(not _real(), reason="needs chef-client or cinc-client"),
        ),
    ],
    ids=["stand-in", "real"],
)
def client(request: pytest.FixtureRequest) -> str:
    """The command of a chef-client."""
    command: str = request.param
    return command


@pytest.fixture
def configured(provisioned: Provisioned, key: KeySigner, tmp_path: Path) -> Configured:
    """A node's configuration for a command and a server's URL, written as `identify` writes it."""

    def write(command: str, url: str) -> ChefConfig:
        server = provisioned.server
        ca = tmp_path / "ca.pem"
        ca.write_text(server.ca_pem)
        key_file = tmp_path / "client.pem"
        chef = ChefConfig(url, server.organization, ca, NODE, key_file, command)
        key.write(key_file)
        write_private(chef.client_rb, client_rb(chef).encode())
        return chef

    return write


def failure_of(chef: ChefConfig) -> str:
    with pytest.raises(Transient) as failed:
        converge(chef, "role[worker]", run_client)
    return str(failed.value)


@pytest.mark.chef
def test_a_client_that_the_server_does_not_know_is_named_with_the_401(
    client: str, configured: Configured, provisioned: Provisioned, chef: ChefServer
) -> None:
    chef.delete_client(NODE)
    config = configured(client, provisioned.server.url)
    said = failure_of(config)
    assert NODE in said
    assert "401" in said
    assert " FATAL: " in config.log_file.read_text()


@pytest.mark.chef
def test_a_server_that_is_down_is_named(client: str, configured: Configured) -> None:
    config = configured(client, "https://127.0.0.1:9")
    said = failure_of(config)
    assert "127.0.0.1:9" in said or "127.0.0.1', port=9" in said
    assert "Connection refused" in said
    assert " FATAL: " in config.log_file.read_text()


@pytest.mark.chef
def test_a_key_that_is_missing_is_named(
    client: str, configured: Configured, provisioned: Provisioned
) -> None:
    config = configured(client, provisioned.server.url)
    config.key_file.unlink()
    assert str(config.key_file) in failure_of(config)


@pytest.mark.parametrize(
    ("output", "named"),
    [
        (
            "resource",
            "Error executing action `install` on resource 'apt_package[no-such-package]': "
            "Chef::Exceptions::Package / No candidate version available for no-such-package",
        ),
        ("unknown_client", "Failed to authenticate to the chef server (http 401)."),
        ("server_down", "Networking Error: / Connection refused"),
    ],
)
def test_each_of_the_clients_three_failures_has_its_own_error(
    output: str, named: str, tmp_path: Path
) -> None:
    text = (OUTPUTS / f"{output}.txt").read_text()
    chef = ChefConfig("https://chef", None, None, NODE, tmp_path / "client.pem", "chef-client")
    chef.client_rb.touch()
    with pytest.raises(Transient) as failed:
        converge(chef, "role[worker]", lambda _command, _timeout_s: Ended(1, text))
    message = str(failed.value)
    assert message.startswith("chef-client ended with 1: ")
    assert named in message
    assert text.splitlines()[-1][:200] in message
    assert "BUG REPORT" not in message


def test_a_client_without_a_word_is_not_an_empty_reason() -> None:
    assert why_it_failed("\n") == "it wrote nothing"


def test_a_very_long_failure_is_cut() -> None:
    assert len(why_it_failed("x" * 100_000)) == 2000
