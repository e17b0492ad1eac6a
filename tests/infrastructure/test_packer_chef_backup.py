"""The Chef Server's backups: made, opened by a test restore, and restored.

S3 and CloudWatch are moto, the test restore's PostgreSQL and openssl are the real ones. The
server's API checks each request's signature; its own command is `SERVER_CTL` below, which refuses a
backup of another version as chef_backup does: with a line of output and exit code 0.
"""

import json
import os
import pwd
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import boto3
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from moto.server import ThreadedMotoServer

from labswarm.chef.signing import canonical_request, content_hash

PACKER = Path(__file__).resolve().parents[2] / "packer"
PROGRAM = PACKER / "chef-server/labswarm_chef_backup.py"
ISOLATE = PACKER / "chef-server/labswarm_chef_isolate.py"
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
OWNER = "nobody"
"""The system's user and superuser of the databases, as `opscode-pgsql` on a server."""
VERSION = "15.10.91"

pytestmark = [
    pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl"),
    pytest.mark.skipif(
        os.geteuid() != 0 or not POSTGRES or not shutil.which("runuser"),
        reason="needs root, runuser and PostgreSQL (Debian: apt-get install postgresql)",
    ),
]

SERVER = {
    "users": ["labswarm", "operator"],
    "nodes": ["db-i-0123456789abcdef0", "db-i-0123456789abcdef1"],
    "cookbooks": {"labswarm_base": ["0.1.0"], "labswarm_worker": ["0.1.0", "0.2.0"]},
    "policies": ["worker"],
}

SERVER_CTL = r"""
import io, json, os, pathlib, sys, tarfile
root = pathlib.Path(os.environ["LABSWARM_ROOT"])
version_file = "/opt/cinc-project/version-manifest.json"
command, *words = sys.argv[1:]
with (root / "calls").open("a") as file:
    print(command, file=file)
if command == "backup":
    assert words == ["--yes"]
    manifest = {
        "versions": {"cinc-server": {
            "version": json.loads((root / version_file[1:]).read_text())["build_version"],
            "path": version_file,
        }},
        "services": {"postgresql": {"username": "nobody", "pg_dump_success": True}},
    }
    members = {
        "manifest.json": json.dumps(manifest),
        "cinc_backup-2026-11-30-02-00-00.sql": (root / "dump.sql").read_text(),
        "server.json": (root / "server.json").read_text(),
    }
    folder = root / "var/opt/cinc-backups"
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / "cinc-backup-2026.tgz", "w:gz") as tar:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
elif command == "restore":
    cleanse, archive = words
    assert cleanse == "--cleanse"
    if (root / "restore-fails").exists():
        sys.exit("rsync: No space left on device (28)")
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
        there = json.loads((root / version_file[1:]).read_text())["build_version"]
        if manifest["versions"]["cinc-server"]["version"] != there:
            print("Please install correct version, restore, then upgrade.")
            sys.exit(0)
        if (root / "restore-loses-all").exists():
            sys.exit(0)
        (root / "server.json").write_bytes(tar.extractfile("server.json").read())
else:
    sys.exit("unknown command " + command)
"""


SCHEMA = f"""
CREATE ROLE {OWNER};
CREATE DATABASE opscode_chef;
\\connect opscode_chef
CREATE TABLE orgs (id text, name text);
CREATE TABLE users (id text, username text);
CREATE TABLE org_user_associations (org_id text, user_id text);
CREATE TABLE nodes (org_id text, name text);
CREATE TABLE policies (org_id text, name text);
CREATE TABLE cookbooks (id int, org_id text, name text);
CREATE TABLE cookbook_versions (cookbook_id int, major int, minor int, patch int);
"""


def dump_of(server: dict[str, Any]) -> str:
    """A dump, as pg_dumpall makes it, of the tables that are asked, for one organization."""
    rows: list[tuple[str, str]] = [("orgs", "o\tlabswarm")]
    for name in server["users"]:
        rows += [("users", f"{name}\t{name}"), ("org_user_associations", f"o\t{name}")]
    for kind in ("nodes", "policies"):
        rows += [(kind, f"o\t{name}") for name in server[kind]]
    for number, (name, versions) in enumerate(server["cookbooks"].items()):
        rows.append(("cookbooks", f"{number}\to\t{name}"))
        for version in versions:
            row = "\t".join([str(number), *version.split(".")])
            rows.append(("cookbook_versions", row))
    return SCHEMA + "".join(f"COPY {table} FROM stdin;\n{row}\n\\.\n" for table, row in rows)


class Machine:
    """A Chef Server as a root folder, its API at loopback, its bucket at moto."""

    def __init__(self, root: Path, aws: str) -> None:
        self.root = root
        self.acls: dict[str, list[str]] = {}
        self.written: list[str] = []
        folders = ("etc/labswarm", "etc/cinc-project", "srv/chef/tls", "stubs", "var/opt")
        for name in (*folders, "opt/cinc-project/bin", "opt/cinc-project/embedded"):
            (root / name).mkdir(parents=True)
        (root / "opt/cinc-project/embedded/bin").symlink_to(POSTGRES[-1].parent)
        self.program("opt/cinc-project/bin/cinc-server-ctl", f"#!{sys.executable}\n{SERVER_CTL}")
        self.program("stubs/systemctl", '#!/bin/sh\necho "$*" >>"$LABSWARM_ROOT/systemctl"\n')
        self.install(VERSION)
        self.holds(SERVER)
        self.certify()
        clients: list[Any] = [
            boto3.client(
                name,
                endpoint_url=aws,
                region_name="eu-west-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
            for name in ("s3", "cloudwatch")
        ]
        self.s3, self.cloudwatch = clients
        self.bucket = f"backups-{abs(hash(str(root)))}"
        self.s3.create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        self.environment = {
            **{name: value for name, value in os.environ.items() if "AWS" not in name},
            "AWS_ENDPOINT_URL": aws,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "LABSWARM_ROOT": str(root),
            "PATH": f"{root}/stubs:{os.environ['PATH']}",
        }

    def program(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o755)

    def install(self, version: str) -> None:
        about = json.dumps({"build_version": version})
        (self.root / "opt/cinc-project/version-manifest.json").write_text(about)

    def holds(self, server: dict[str, Any]) -> None:
        (self.root / "server.json").write_text(json.dumps(server))
        (self.root / "dump.sql").write_text(dump_of(server))

    def certify(self) -> None:
        tls = self.root / "srv/chef/tls"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"),
                *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", tls / "server.key", "-out", tls / "ca.pem"),
            ],
            check=True,
            capture_output=True,
        )
        key = self.root / "etc/cinc-project/pivotal.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)

    def is_at(self, url: str) -> None:
        ground = {
            "region": "eu-west-1",
            "backup_bucket": self.bucket,
            "chef": {"url": url, "organization": "labswarm"},
        }
        (self.root / "etc/labswarm/ground.json").write_text(json.dumps(ground))

    def run(self, *words: str, program: Path = PROGRAM) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, program, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def server(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.root / "server.json").read_text())
        return content

    def readers(self, path: str) -> list[str]:
        """The groups that may read an object or a container, as the server begins with."""
        groups: list[str] = self.acls.setdefault(path, ["users", "clients", "admins"])
        return groups

    def answer(self, path: str) -> Any:
        server, prefix = self.server, "/organizations/labswarm"
        if path.endswith("/_acl"):
            groups = self.readers(path.removesuffix("/_acl").removeprefix(prefix))
            return {"read": {"actors": ["pivotal"], "groups": groups}, "update": {}}
        return {
            f"{prefix}/clients": dict.fromkeys(
                [*server["nodes"], "labswarm-validator"], "https://"
            ),
            f"{prefix}/data": {"secrets": "https://"},
            prefix: {"name": "labswarm"},
            f"{prefix}/users": [{"user": {"username": name}} for name in server["users"]],
            f"{prefix}/nodes": dict.fromkeys(server["nodes"], "https://"),
            f"{prefix}/cookbooks?num_versions=all": {
                name: {"versions": [{"version": version} for version in versions]}
                for name, versions in server["cookbooks"].items()
            },
            f"{prefix}/policies": dict.fromkeys(server["policies"], "https://"),
        }[path]

    def backups(self) -> list[str]:
        return [
            one["Key"] for one in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        ]

    def counted(self) -> int:
        metrics = self.cloudwatch.list_metrics(Namespace="Labswarm")["Metrics"]
        return len([one for one in metrics if one["MetricName"] == "ChefBackups"])

    def calls(self) -> list[str]:
        file = self.root / "calls"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def aws() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # Its servers of one process share their state.
    reset = urllib.request.Request(f"{url}/moto-api/reset", method="POST")  # noqa: S310  # our own
    urllib.request.urlopen(reset)  # noqa: S310  # as above
    yield url
    server.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the databases' user reaches: pytest's own are for one user alone."""
    with tempfile.TemporaryDirectory(prefix="chef-server.") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def machine(folder: Path, aws: str) -> Iterator[Machine]:
    """A Chef Server that holds `SERVER`, and its API."""
    machine = Machine(folder / "root", aws)
    key = serialization.load_pem_private_key(
        (machine.root / "etc/cinc-project/pivotal.pem").read_bytes(), None
    ).public_key()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer("GET", b"", lambda _body: machine.answer(self.path))

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer("PUT", body, self.closed)

        def closed(self, body: bytes) -> dict[str, Any]:
            path = self.path.removeprefix("/organizations/labswarm").removesuffix("/_acl/read")
            (kind,) = json.loads(body).items()
            assert kind[0] == "read"
            assert kind[1]["actors"] == ["pivotal"]
            machine.acls[path] = kind[1]["groups"]
            machine.written.append(path)
            return {}

        def answer(self, method: str, body: bytes, said: Callable[[bytes], Any]) -> None:
            headers, path = self.headers, self.path.partition("?")[0]
            lines = [headers[f"X-Ops-Authorization-{n}"] for n in range(1, 7)]
            message = canonical_request(
                *(method, path, content_hash(body), headers["X-Ops-Timestamp"]),
                *(headers["X-Ops-UserId"], headers["X-Ops-Server-API-Version"]),
            )
            cast(RSAPublicKey, key).verify(
                b64decode("".join(line for line in lines if line)),
                message,
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said(body)).encode())

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certified = machine.root / "srv/chef/tls"
    tls.load_cert_chain(certified / "ca.pem", certified / "server.key")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    machine.is_at(f"https://127.0.0.1:{server.server_port}")
    yield machine
    server.shutdown()


def authority(machine: Machine) -> str:
    return (machine.root / "srv/chef/tls/ca.pem").read_text()


def test_a_backup_lists_its_contents_and_counts_once_a_test_restore_has_opened_it(
    machine: Machine, tmp_path: Path
) -> None:
    done = machine.run("backup")
    assert done.returncode == 0, done.stderr
    (name,) = machine.backups()
    assert "has 1 organizations, 2 users, 2 nodes, 3 cookbooks, 1 policies" in done.stdout
    assert machine.counted() == 1

    machine.s3.download_file(machine.bucket, name, str(tmp_path / "all.tar"))
    with tarfile.open(tmp_path / "all.tar") as tar:
        assert {"manifest.json", "server.tgz", "tls/ca.pem"} <= set(tar.getnames())
        about = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]  # is a file
    assert about["versions"]["cinc-server"]["version"] == VERSION
    assert about["contents"]["nodes"] == SERVER["nodes"]
    assert "labswarm_worker 0.2.0" in about["contents"]["cookbooks"]
    # Nothing of it stays on the server, and no scratch database goes on running.
    assert list((machine.root / "srv/chef").iterdir()) == [machine.root / "srv/chef/tls"]
    assert list((machine.root / "var/opt").rglob("*.tgz")) == []
    owner = pwd.getpwnam(OWNER).pw_uid
    assert not [
        process
        for process in Path("/proc").glob("[0-9]*/cmdline")
        if str(machine.root) in _text(process) and process.stat().st_uid == owner
    ]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # the process has ended
        return ""


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda dump: dump.replace("COPY nodes", "COPY policies"),
            "lacks nodes: db-i-0123456789abcd",
        ),
        (lambda dump: dump[: len(dump) // 2] + "\n\\.\nCOPY", "failed: "),
        (lambda _dump: "", "none of the databases"),
    ],
    ids=["without nodes", "cut short", "empty"],
)
def test_a_backup_that_would_not_restore_is_named_and_not_counted(
    machine: Machine, damage: Any, said: str
) -> None:
    (machine.root / "dump.sql").write_text(damage(dump_of(SERVER)))
    done = machine.run("backup")
    assert done.returncode == 1
    assert f"test restore of {machine.backups()[0]}" in done.stderr
    assert said in done.stderr
    assert machine.counted() == 0


def test_a_restore_brings_back_the_backed_up_objects_and_counts_them(machine: Machine) -> None:
    assert machine.run("backup").returncode == 0
    before = authority(machine)
    machine.holds({**SERVER, "nodes": [], "cookbooks": {}})
    (machine.root / "srv/chef/tls/note").write_text("of after the backup")
    done = machine.run("restore", "newest")
    assert done.returncode == 0, done.stderr
    assert machine.server == SERVER
    assert authority(machine) == before
    assert not (machine.root / "srv/chef/tls/note").exists()
    assert "2 nodes, 3 cookbooks" in done.stdout
    systemctl = (machine.root / "systemctl").read_text()
    assert systemctl == "restart labswarm-chef-server.service\n"


def test_a_backup_of_another_version_is_refused_before_anything_is_touched(
    machine: Machine,
) -> None:
    assert machine.run("backup").returncode == 0
    machine.install("15.11.1")
    (machine.root / "srv/chef/tls/note").write_text("of after the backup")
    calls = machine.calls()
    done = machine.run("restore")
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert f"of cinc-server {VERSION}, and here is 15.11.1" in done.stderr
    assert "-var chef_version=" in done.stderr
    assert machine.calls() == calls
    assert (machine.root / "srv/chef/tls/note").exists()
    assert not (machine.root / "systemctl").exists()


def test_a_restore_after_which_something_is_not_there_has_failed(machine: Machine) -> None:
    assert machine.run("backup").returncode == 0
    machine.holds({**SERVER, "nodes": list(SERVER["nodes"])[:1], "policies": []})
    (machine.root / "restore-loses-all").touch()
    done = machine.run("restore")
    assert done.returncode == 1
    assert "the server lacks nodes: db-i-0123456789abcdef1; policies: worker" in done.stderr
    assert "restored" not in done.stdout


def test_a_restore_that_fails_leaves_the_authority_as_it_was(machine: Machine) -> None:
    assert machine.run("backup").returncode == 0
    (machine.root / "srv/chef/tls/note").write_text("of after the backup")
    (machine.root / "restore-fails").touch()
    done = machine.run("restore")
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert (machine.root / "srv/chef/tls/note").exists()


def test_a_backup_that_is_not_there_is_named(machine: Machine) -> None:
    done = machine.run("restore")
    assert (done.returncode, machine.calls()) == (1, [])
    assert f"there is no backup in {machine.bucket}" in done.stderr
    done = machine.run("restore", "20260101T000000Z.tar")
    assert "there is no backup 20260101T000000Z.tar" in done.stderr
    done = machine.run("restore", "../../etc/passwd")
    assert done.returncode == 2


def test_state_manager_backs_up_and_restores_by_this_program() -> None:
    module = PACKER.parent / "terraform-base/modules/chef_server"
    for script, words in (("backup.sh", "backup"), ("restore.sh", "restore")):
        text = (module / script).read_text()
        assert f"exec labswarm-chef-backup {words}" in text
        # An older image has no such program: the run fails and gives the remedy.
        assert "command -v labswarm-chef-backup" in text


def test_a_node_cannot_read_the_objects_of_another_one(machine: Machine) -> None:
    done = machine.run(program=ISOLATE)
    assert done.returncode == 0, done.stderr
    made_before = [f"/nodes/{name}" for name in SERVER["nodes"]]
    made_before += [f"/clients/{name}" for name in SERVER["nodes"]]
    containers = ["/containers/nodes", "/containers/clients", "/containers/data"]
    for path in (*containers, *made_before, "/data/secrets"):
        assert machine.acls[path] == ["users", "admins"], path
    # The objects that all nodes run from stay open to them.
    assert not [path for path in machine.acls if "polic" in path or "cookbook" in path]
    written = len(machine.written)
    assert machine.run(program=ISOLATE).returncode == 0
    assert len(machine.written) == written, "a second run changes nothing"


def test_a_server_that_does_not_answer_is_no_isolated_one(machine: Machine) -> None:
    machine.is_at("https://127.0.0.1:9")
    done = machine.run(program=ISOLATE)
    assert done.returncode == 1
    assert "does not change who may read" in done.stderr


def test_the_set_up_isolates_clusters_and_searches_show_readable_nodes_alone() -> None:
    unit = (PACKER / "chef-server/labswarm-chef-server.service").read_text()
    set_up, isolate = (
        unit.index(f"\nExecStart=/usr/local/sbin/labswarm-chef-{name}\n")
        for name in ("server", "isolate")
    )
    assert set_up < isolate
    program = (PACKER / "chef-server/labswarm_chef_server.py").read_text()
    assert 'opscode_erchef["strict_search_result_acls"] = true' in program
