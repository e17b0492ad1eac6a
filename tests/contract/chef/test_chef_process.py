"""A lab's Chef Server as a process: its state after a restart, a kill and a second provisioning."""

import os
import signal
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives import serialization
from moto import mock_aws
from tests.support.chef_servers import ADDRESS, KINDS, Provisioned, free_port, make_server

from labswarm.aws.signing import KmsSigner
from labswarm.chef.server import ChefServer
from labswarm.errors import BadInput, Permanent, Transient
from labswarm_lab.chef.keys import KeySigner
from labswarm_lab.chef.server import ChefProcess, LabChefServer
from labswarm_lab.chef.twin import Twin

pytestmark = pytest.mark.chef
PATIENCE_S = 10


def eventually(holds: Callable[[], object], wanted: object) -> None:
    """Wait until `holds()` is `wanted`, and fail with the last value seen."""
    deadline = time.monotonic() + PATIENCE_S
    while (seen := holds()) != wanted:
        assert time.monotonic() < deadline, f"after {PATIENCE_S} s: {seen!r}, not {wanted!r}"
        time.sleep(0.05)


def port_of(server: LabChefServer) -> int:
    return int(server.url.rpartition(":")[2])


def content(file: Path) -> bytes:
    """A server's files; goiardi packs its objects."""
    packed = file.read_bytes()
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return packed


def kill(server: ChefProcess) -> None:
    """End a server of this process as a power cut would, and wait until it has ended."""
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChefProcess]:
    """A started server that nobody has provisioned."""
    server = make_server(request.param, tmp_path / "chef")
    server.start()
    yield server
    server.stop()


def as_admin(server: ChefProcess, admin: KeySigner) -> ChefServer:
    return ChefServer(server.url, server.organization, "labswarm", admin, server.ca_pem)


def test_no_private_key_of_an_actor_is_left_after_provisioning(
    server: ChefProcess, tmp_path: Path, key: KeySigner
) -> None:
    server.provision_admin("labswarm", key.public_pem)

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    private = [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
    assert [path.name for path in private] == ["server.key"], "only that of TLS may be there"
    assert private[0].stat().st_mode & 0o777 == 0o600


def test_the_admins_key_may_be_one_in_kms(server: ChefProcess) -> None:
    with mock_aws():
        kms = boto3.client(
            "kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        made = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")
        key_id = made["KeyMetadata"]["KeyId"]
        public = serialization.load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
        pem = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        server.provision_admin("labswarm", pem.decode())

        chef = ChefServer(
            server.url, server.organization, "labswarm", KmsSigner(kms, key_id), server.ca_pem
        )
        chef.create_client("lab-i-2000", pem.decode())
        assert "lab-i-2000" in chef.list_clients()


def test_provisioning_again_with_a_new_key_keeps_the_clients_and_refuses_the_old_key(
    server: ChefProcess, key: KeySigner, other_key: KeySigner
) -> None:
    server.provision_admin("labswarm", key.public_pem)
    as_admin(server, key).create_client("lab-i-2001", key.public_pem)

    server.provision_admin("labswarm", other_key.public_pem)

    assert "lab-i-2001" in as_admin(server, other_key).list_clients()
    with pytest.raises(Permanent, match="401"):
        as_admin(server, key).list_clients()


def test_a_kill_in_the_middle_of_provisioning_does_not_lock_the_admin_out(
    server: ChefProcess, tmp_path: Path, key: KeySigner
) -> None:
    """Killed before it deleted its own first actor, whose key is gone."""
    (first_key,) = tmp_path.rglob("admin.pem")
    first_key.unlink()

    server.provision_admin("labswarm", key.public_pem)

    assert as_admin(server, key).list_nodes() == []


def test_a_servers_objects_outlive_a_kill(
    server: ChefProcess, tmp_path: Path, key: KeySigner
) -> None:
    server.provision_admin("labswarm", key.public_pem)
    as_admin(server, key).create_client("lab-i-2002", key.public_pem)
    ca_pem = server.ca_pem
    written = tmp_path / "chef" / "data"
    # goiardi writes once a second.
    eventually(lambda: any(b"lab-i-2002" in content(file) for file in written.iterdir()), True)

    kill(server)
    server.start()

    assert "lab-i-2002" in as_admin(server, key).list_clients()
    assert server.ca_pem == ca_pem, "whoever trusted the server still does"


def test_starting_a_server_that_runs_goes_on_with_it(provisioned: Provisioned) -> None:
    pid = provisioned.server.pid

    provisioned.server.start()

    assert provisioned.server.pid == pid is not None


def test_another_command_finds_the_server_and_ends_it(server: ChefProcess, tmp_path: Path) -> None:
    """As `down` does, which is not the process that said `up`."""
    elsewhere = type(server)(ADDRESS, port_of(server), tmp_path / "chef")
    assert elsewhere.pid == server.pid is not None

    elsewhere.stop()

    assert server.pid is None


def test_a_pid_that_another_process_has_now_is_left_alone(tmp_path: Path) -> None:
    """The pid file of a server that was killed names, by now, this very test."""
    server = Twin(ADDRESS, free_port(), tmp_path)
    (tmp_path / "pid").write_text(str(os.getpid()))

    server.stop()

    assert server.pid is None


def test_a_port_in_use_is_refused_and_nothing_is_left(
    provisioned: Provisioned, tmp_path: Path
) -> None:
    second = Twin(ADDRESS, port_of(provisioned.server), tmp_path)

    with pytest.raises(BadInput, match=r"port: .*in use"):
        second.start()

    assert second.pid is None
    assert provisioned.server.pid is not None


def test_a_stopped_server_is_transient(server: ChefProcess, key: KeySigner) -> None:
    server.provision_admin("labswarm", key.public_pem)
    chef = as_admin(server, key)
    server.stop()

    with pytest.raises(Transient):
        chef.list_nodes()
