"""Our programs' files for Chef's programs, read by Chef's own configuration library.

The library is Debian's ruby-chef-config, the same that knife and chef-client load. Cinc is the same
code with other folder names (https://cinc.sh/), so the test sets those names. The images' verify.sh
asks the installed knife and chef-client themselves.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labswarm_node.chef_identity import client_rb
from labswarm_node.config import ChefConfig

PACKER = Path(__file__).resolve().parents[2] / "packer"
WORKSTATION = PACKER / "chef-workstation/labswarm_chef_workstation.py"

READ_KNIFE = """
require 'json'
require 'chef-config/config'
require 'chef-config/workstation_config_loader'
ChefUtils::Dist::Infra.send(:remove_const, :USER_CONF_DIR)
ChefUtils::Dist::Infra.const_set(:USER_CONF_DIR, ARGV[0])
ChefConfig::WorkstationConfigLoader.new(nil).load
names = %i(node_name client_key chef_server_url trusted_certs_dir)
puts JSON.generate(names.to_h { |name| [name, ChefConfig::Config[name].to_s] })
"""

READ_CLIENT_RB = """
require 'json'
require 'chef-config/config'
ChefConfig::Config.from_file(ARGV[0])
names = %i(chef_server_url node_name client_key log_location ssl_ca_file ssl_verify_mode)
read = names.to_h { |name| [name, ChefConfig::Config[name].to_s] }
puts JSON.generate(read.merge(reports: ChefConfig::Config.data_collector.mode.to_s))
"""


def _has_chef_config() -> bool:
    if not shutil.which("ruby"):
        return False
    done = subprocess.run(
        ["ruby", "-e", "require 'chef-config/config'"], capture_output=True, check=False
    )
    return done.returncode == 0


needs_chef_config = pytest.mark.skipif(
    not _has_chef_config(), reason="needs Chef's library (Debian: apt-get install ruby-chef-config)"
)


def write_sample(home: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, WORKSTATION, "--sample", home],
        capture_output=True,
        text=True,
        check=False,
    )


@needs_chef_config
@pytest.mark.parametrize("folder", [".chef", ".cinc"], ids=["chef", "cinc"])
def test_the_knife_of_either_distribution_reads_the_workstations_settings(
    folder: str, tmp_path: Path
) -> None:
    assert write_sample(tmp_path).returncode == 0
    done = subprocess.run(
        ["ruby", "-e", READ_KNIFE, folder],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "PWD": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["node_name"] == "operator"
    assert read["chef_server_url"] == "https://chef.sample.invalid/organizations/sample"
    assert Path(read["client_key"]).read_text() == "a key\n"
    assert (Path(read["trusted_certs_dir"]) / "labswarm.crt").read_text() == "a CA\n"


@needs_chef_config
def test_chef_client_reads_the_nodes_settings_and_logs_to_a_file(tmp_path: Path) -> None:
    chef = ChefConfig(
        url="https://chef.sample.invalid",
        organization="sample",
        ca_file=Path("/etc/labswarm/chef-ca.pem"),
        node_name="db-i-0123456789abcdef0",
        key_file=tmp_path / "client.pem",
        client="chef-client",
    )
    chef.client_rb.write_text(client_rb(chef))
    done = subprocess.run(
        ["ruby", "-e", READ_CLIENT_RB, chef.client_rb], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "chef_server_url": "https://chef.sample.invalid/organizations/sample",
        "node_name": "db-i-0123456789abcdef0",
        "client_key": str(tmp_path / "client.pem"),
        "log_location": str(tmp_path / "client.log"),
        "ssl_ca_file": "/etc/labswarm/chef-ca.pem",
        "ssl_verify_mode": "verify_peer",
        "reports": "solo",
    }


def test_a_folder_of_cincs_in_the_way_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / ".cinc").mkdir()
    done = write_sample(tmp_path)
    assert done.returncode == 1
    assert re.search(r"\.cinc has to be a link to \.chef.* Move ", done.stderr)
    assert not (tmp_path / ".chef/credentials").exists()


def test_the_image_is_not_verified_before_its_knife_has_read_a_sample() -> None:
    verify = (PACKER / "chef-workstation/verify.sh").read_text()
    assert re.search(r"^check .* knife_reads_the_sample$", verify, re.MULTILINE)
    assert "labswarm-chef-workstation --sample" in verify
    assert "knife config show" in verify


def test_the_image_is_not_verified_before_its_chef_client_has_failed_and_said_why() -> None:
    verify = (PACKER / "chef-client/verify.sh").read_text()
    assert re.search(r"^check .* failed_run_says_why$", verify, re.MULTILINE)
    assert "labswarm-node bootstrap" in verify
    assert "client.log" in verify
