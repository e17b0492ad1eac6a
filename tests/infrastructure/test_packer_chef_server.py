"""The programs that a Chef Server and a workstation run at their first start.

AWS is moto, openssl is the real one. The server's own command is `SERVER_CTL` below, which refuses
the same requests as the real one; steps that need a machine (mounts, systemd) are only written
down.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

PACKER = Path(__file__).resolve().parents[2] / "packer"
TOOLS = Path(sys.executable).parent

SERVER_CTL = r"""
import json, os, pathlib, sys
root = pathlib.Path(os.environ["LABSWARM_ROOT"])
store = root / "server.json"
server = json.loads(store.read_text()) if store.exists() else {"users": {}, "orgs": {}, "calls": []}
command, *words = sys.argv[1:]
server["calls"].append(command)
flags = [word for word in words if word.startswith("-")]

def refuse(why):
    print(why, file=sys.stderr)
    sys.exit(1)

def print_keys(keys):
    for name in keys:
        print(f"name: {name}\nexpired: false\n")

configured = server.get("configured") or command in ("reconfigure", "upgrade", "start")
if not configured:
    refuse("the server is not configured")
users, orgs = server["users"], server["orgs"]
if command in ("reconfigure", "upgrade"):
    server["configured"] = (root / "etc/cinc-project/cinc-server.rb").read_text()
elif command == "org-show":
    words[0] in orgs or refuse("no such organization")
elif command == "org-create":
    name, full = words
    name not in orgs or refuse("already exists")
    orgs[name] = {"members": [], "validator": ["default"]}
    print("-----BEGIN RSA PRIVATE KEY-----\nvalidator\n-----END RSA PRIVATE KEY-----")
elif command == "list-client-keys":
    org, client = words
    client == org + "-validator" or refuse("no such client")
    print_keys(orgs[org]["validator"])
elif command == "delete-client-key":
    orgs[words[0]]["validator"].remove(words[2])
elif command == "user-create":
    name, first, last, mail, password = words
    name not in users or refuse("already exists")
    len(password) >= 6 or refuse("password too short")
    users[name] = {"keys": {"default": "of the server's own making"}}
    print("-----BEGIN RSA PRIVATE KEY-----\nuser\n-----END RSA PRIVATE KEY-----")
elif command == "user-show":
    words[0] in users or refuse("no such user")
    print(f"username: {words[0]}")
    if "--with-orgs" in flags:
        print("organizations:", *[name for name, org in orgs.items() if words[0] in org["members"]])
elif command == "list-user-keys":
    print_keys(users[words[0]]["keys"])
elif command == "add-user-key":
    user, path_flag, path, name_flag, name = words
    (path_flag, name_flag) == ("--public-key-path", "--key-name") or refuse("usage")
    name not in users[user]["keys"] or refuse("already exists")
    users[user]["keys"][name] = pathlib.Path(path).read_text()
elif command == "delete-user-key":
    len(users[words[0]]["keys"]) > 1 or refuse("the last key")
    del users[words[0]]["keys"][words[1]]
elif command == "org-user-add":
    org, user, admin = words
    admin == "--admin" or refuse("usage")
    user not in orgs[org]["members"] or refuse("already a member")
    orgs[org]["members"].append(user)
elif command not in ("user-list", "start", "restart"):
    refuse("unknown command " + command)
store.write_text(json.dumps(server))
"""

# Steps of a machine: written to a file, and answered as a new machine would.
WRITTEN_DOWN = {
    "blkid": '[ -e "$LABSWARM_ROOT/formatted" ] || exit 2',
    "mkfs.ext4": 'touch "$LABSWARM_ROOT/formatted"',
    "mount": 'echo "$1" >>"$LABSWARM_ROOT/mounted"',
    "mountpoint": 'grep -qxF "$2" "$LABSWARM_ROOT/mounted" 2>/dev/null',
    "systemctl": "true",
    "dpkg-query": 'cat "$LABSWARM_ROOT/version.installed"',
}

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """An AWS emulator on loopback; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [TOOLS / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/moto-api/data.json")  # noqa: S310  # our own
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=10)


class Machine:
    """A machine of an image, as a root folder."""

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self.output = ""
        self.environment = {
            **{name: value for name, value in os.environ.items() if "AWS" not in name},
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "LABSWARM_ROOT": str(root),
            "PATH": f"{root}/stubs:{os.environ['PATH']}",
        }
        for name in ("etc/labswarm", "stubs", "tmp", "opt/cinc-project/bin", "dev/disk/by-id"):
            (root / name).mkdir(parents=True)
        for name, text in WRITTEN_DOWN.items():
            self.program(
                f"stubs/{name}", f'#!/bin/sh\necho "{name} $*" >>"$LABSWARM_ROOT/output"\n{text}\n'
            )
        self.program(
            "opt/cinc-project/bin/cinc-server-ctl", f"#!{sys.executable} -IS\n{SERVER_CTL}"
        )
        (root / "version.installed").write_text("15.10.91-1")
        self.clients: dict[str, Any] = {
            name: boto3.client(
                name,
                endpoint_url=url,
                region_name="eu-west-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
            for name in ("kms", "ssm", "secretsmanager")
        }

    def program(self, name: str, text: str) -> None:
        path = self.root / name
        path.write_text(text)
        path.chmod(0o755)

    def start(self, program: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, PACKER / program],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def server(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.root / "server.json").read_text())
        return content

    def calls_since(self, count: int) -> set[str]:
        return set(self.server["calls"][count:])


@pytest.fixture
def machine(tmp_path: Path, aws: str) -> Machine:
    """A machine that has not been started yet."""
    return new_machine(tmp_path, aws)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, aws: str) -> Machine:
    """A machine after its first start; tests only read it."""
    machine = new_machine(tmp_path_factory.mktemp("started"), aws)
    done = machine.start(SERVER)
    assert done.returncode == 0, done.stderr
    machine.output = done.stdout + done.stderr
    return machine


def new_machine(tmp_path: Path, aws: str) -> Machine:
    machine = Machine(tmp_path / "root", aws)
    made = machine.clients["kms"].create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]
    alias, secret = f"alias/admin-{name}", f"operator-{name}"
    machine.clients["kms"].create_alias(AliasName=alias, TargetKeyId=made["KeyMetadata"]["KeyId"])
    machine.clients["secretsmanager"].create_secret(Name=secret)
    ground = {
        "role": "chef-server",
        "region": "eu-west-1",
        "data_volume_id": "vol-0a1b2c3d",
        "backup_bucket": "backups",
        "operator_key": secret,
        "chef": {
            "url": "https://chef.labswarm.internal",
            "organization": "labswarm",
            "admin": "labswarm",
            "admin_key_id": alias,
        },
        "tls": {
            "host_name": "chef.labswarm.internal",
            "ca_parameter": f"/labswarm/{name}/ca_pem",
            "acme_zone_id": None,
        },
    }
    (machine.root / "etc/labswarm/ground.json").write_text(json.dumps(ground))
    volume = "nvme-Amazon_Elastic_Block_Store_vol0a1b2c3d"
    (machine.root / "dev/disk/by-id" / volume).write_bytes(bytes(8192))
    return machine


SERVER = "chef-server/labswarm_chef_server.py"


def test_terraform_writes_the_fields_that_the_programs_read(started: Machine) -> None:
    module = PACKER.parent / "terraform-base/modules/chef_server"
    written = (module / "main.tf").read_text().partition("server_ground = {")[2]
    written = written.partition("\n  }\n")[0]
    assert set(re.findall(r"^ +(\w+) +=", written, re.MULTILINE)) == {
        name
        for table in (ground_of(started), ground_of(started)["chef"], ground_of(started)["tls"])
        for name in table
    }


def ground_of(machine: Machine) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((machine.root / "etc/labswarm/ground.json").read_text())
    return content


def test_a_first_start_makes_a_server_that_the_app_can_use(started: Machine) -> None:
    ground, server = ground_of(started), started.server

    der = started.clients["kms"].get_public_key(KeyId=ground["chef"]["admin_key_id"])["PublicKey"]
    (key,) = server["users"]["labswarm"]["keys"].values()
    assert "".join(key.splitlines()[1:-1]) == base64.b64encode(der).decode()
    assert server["orgs"]["labswarm"] == {"members": ["labswarm", "operator"], "validator": []}

    tls = started.root / "srv/chef/tls"
    published = started.clients["ssm"].get_parameter(Name=ground["tls"]["ca_parameter"])
    assert published["Parameter"]["Value"] == (tls / "ca.pem").read_text()
    subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", "sslserver"),
            *("-verify_hostname", "chef.labswarm.internal"),
            *("-CAfile", tls / "ca.pem", tls / "server.pem"),
        ],
        check=True,
        capture_output=True,
    )
    assert f'"{tls}/server.pem"' in server["configured"]
    assert 'api_fqdn "chef.labswarm.internal"' in server["configured"]


def test_the_servers_state_is_on_the_data_volume_and_there_before_the_server(
    started: Machine,
) -> None:
    root = started.root
    fstab = (root / "etc/fstab").read_text()
    assert [line.split()[1] for line in fstab.splitlines()] == [
        str(root / "srv/chef"),
        str(root / "etc/cinc-project"),
        str(root / "var/opt/cinc-project"),
    ]
    assert (root / "mounted").read_text().split() == [
        line.split()[1] for line in fstab.splitlines()
    ]
    (drop_in,) = (root / "etc/systemd/system").rglob("data.conf")
    assert f"RequiresMountsFor={root}/var/opt/cinc-project" in drop_in.read_text()


def test_no_private_key_is_printed_or_left_where_another_user_reads_it(started: Machine) -> None:
    assert "PRIVATE" not in started.output
    keys = [
        path
        for path in started.root.rglob("*")
        if path.is_file() and "stubs" not in path.parts and b"PRIVATE KEY--" in path.read_bytes()
    ]
    assert {path.name for path in keys} == {"ca.key", "server.key", "cinc-server-ctl"}
    for path in keys:
        if path.suffix == ".key":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_operators_key_is_left_once_and_fits(started: Machine) -> None:
    secret = ground_of(started)["operator_key"]
    left = started.clients["secretsmanager"].get_secret_value(SecretId=secret)
    public = subprocess.run(
        ["openssl", "rsa", "-pubout"],
        input=left["SecretString"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert list(started.server["users"]["operator"]["keys"].values()) == [public]
    assert started.start(SERVER).returncode == 0
    again = started.clients["secretsmanager"].get_secret_value(SecretId=secret)
    assert again["VersionId"] == left["VersionId"]


def test_a_second_start_changes_nothing(started: Machine) -> None:
    before, certificate = started.server, (started.root / "srv/chef/tls/server.pem").read_text()
    assert started.start(SERVER).returncode == 0
    assert started.calls_since(len(before["calls"])) == {
        *("user-list", "org-show", "list-client-keys", "user-show", "list-user-keys"),
    }
    assert (started.root / "srv/chef/tls/server.pem").read_text() == certificate
    assert started.server["users"] == before["users"]
    assert len((started.root / "etc/fstab").read_text().splitlines()) == 3
    assert (started.root / "output").read_text().count("mkfs.ext4") == 1


def test_a_start_that_was_cut_short_is_ended_by_the_next(machine: Machine) -> None:
    assert machine.start(SERVER).returncode == 0
    state = machine.server
    state["orgs"]["labswarm"].update(members=[], validator=["default"])
    state["users"]["labswarm"]["keys"] = {"default": "of the server's own making"}
    (machine.root / "server.json").write_text(json.dumps(state))
    assert machine.start(SERVER).returncode == 0
    assert machine.server["orgs"]["labswarm"]["validator"] == []
    assert "default" not in machine.server["users"]["labswarm"]["keys"]


def test_another_key_in_kms_takes_the_place_of_the_first(machine: Machine) -> None:
    assert machine.start(SERVER).returncode == 0
    (first,) = machine.server["users"]["labswarm"]["keys"]
    made = machine.clients["kms"].create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    machine.clients["kms"].update_alias(
        AliasName=ground_of(machine)["chef"]["admin_key_id"],
        TargetKeyId=made["KeyMetadata"]["KeyId"],
    )
    assert machine.start(SERVER).returncode == 0
    (second,) = machine.server["users"]["labswarm"]["keys"]
    assert second != first


def test_a_certificate_that_ends_soon_is_renewed_by_the_same_authority(machine: Machine) -> None:
    assert machine.start(SERVER).returncode == 0
    tls = machine.root / "srv/chef/tls"
    authority, calls = (tls / "ca.pem").read_text(), len(machine.server["calls"])
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key"),
            *("-key", tls / "server.key", "-subj", "/CN=chef.labswarm.internal", "-days", "59"),
            *("-addext", "subjectAltName=DNS:chef.labswarm.internal", "-out", tls / "short.pem"),
        ],
        check=True,
        capture_output=True,
    )
    (tls / "short.pem").replace(tls / "server.pem")
    assert machine.start(SERVER).returncode == 0
    subprocess.run(
        ["openssl", "x509", "-in", tls / "server.pem", "-checkend", str(390 * 86400)], check=True
    )
    assert (tls / "ca.pem").read_text() == authority
    assert "restart" in machine.calls_since(calls)


def test_a_newer_image_upgrades_the_data_that_it_finds(machine: Machine) -> None:
    assert machine.start(SERVER).returncode == 0
    calls = len(machine.server["calls"])
    shutil.rmtree(machine.root / "var/lib")  # another machine's disk
    (machine.root / "version.installed").write_text("15.11.1-1")
    assert machine.start(SERVER).returncode == 0
    assert {"upgrade", "start"} <= machine.calls_since(calls)


def test_a_configuration_that_a_restore_brought_back_is_put_right(machine: Machine) -> None:
    assert machine.start(SERVER).returncode == 0
    calls = len(machine.server["calls"])
    (machine.root / "etc/cinc-project/cinc-server.rb").write_text('api_fqdn "before"\n')
    assert machine.start(SERVER).returncode == 0
    assert "reconfigure" in machine.calls_since(calls)
    assert 'api_fqdn "chef.labswarm.internal"' in machine.server["configured"]


def test_a_failure_is_named_and_shows_no_secret(machine: Machine) -> None:
    ground = ground_of(machine)
    machine.program("opt/cinc-project/bin/cinc-server-ctl", "#!/bin/sh\necho broken >&2; exit 3\n")
    done = machine.start(SERVER)
    assert done.returncode == 1
    assert "cinc-server-ctl reconfigure ended with 3: broken" in done.stderr
    assert ground["operator_key"] not in done.stderr


def test_a_workstation_knows_the_server_and_shows_its_key_to_nobody(machine: Machine) -> None:
    assert machine.start(SERVER).returncode == 0
    ground = ground_of(machine)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    machine.environment["LABSWARM_USER"] = user
    wanted = {
        "role": "chef-workstation",
        "region": "eu-west-1",
        "operator_key": ground["operator_key"],
        "chef": {
            "url": ground["chef"]["url"],
            "organization": "labswarm",
            "user": "operator",
            "ca_parameter": ground["tls"]["ca_parameter"],
        },
    }
    (machine.root / "etc/labswarm/ground.json").write_text(json.dumps(wanted))
    for _ in range(2):
        done = machine.start("chef-workstation/labswarm_chef_workstation.py")
        assert done.returncode == 0, done.stderr
    chef = machine.root / "home" / user / ".chef"
    credentials = dict(re.findall(r'^(\w+) = "(.*)"$', (chef / "credentials").read_text(), re.M))
    assert credentials["chef_server_url"] == (
        "https://chef.labswarm.internal/organizations/labswarm"
    )
    assert "PRIVATE KEY" in Path(credentials["client_key"]).read_text()
    assert (chef / "trusted_certs/labswarm.crt").read_text().startswith("-----BEGIN CERTIFICATE")
    files = [path for path in chef.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
