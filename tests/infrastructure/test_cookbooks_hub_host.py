"""`labswarm-hub`, the hub's cookbook's program: join token, certificate, sizes of seats."""

import importlib.util
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from labswarm.errors import BadInput, Permanent, Transient
from labswarm_node.config import NodeConfig

PROGRAM = (
    Path(__file__).resolve().parents[2]
    / "cookbooks/labswarm_hub/files/default/labswarm_hub_host.py"
)
NODE = {
    "cluster": "db",
    "instance_id": "i-0123456789abcdef0",
    "role": "hub",
    "region": "eu-central-1",
    "docker_host": "unix:///var/run/docker.sock",
    "advertise_address": "10.0.0.10",
    "join_secret": "labswarm/db/swarm-join",
    "images": [],
    "chef": {
        "url": "https://chef.labswarm.internal",
        "node_name": "db-i-0123456789abcdef0",
        "key_file": "/etc/labswarm/chef/client.pem",
        "client": "chef-client",
    },
    "hub": {"api_url": "http://127.0.0.1:8081/hub/api", "token_file": "/nonexistent"},
}


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("labswarm_hub_host", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def config() -> NodeConfig:
    return NodeConfig.parse(json.dumps(NODE))


class Engine:
    """The Engine API as far as the program calls it; refuses what Docker would refuse."""

    def __init__(self) -> None:
        self.index = 7
        self.rotations = 0

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> Any:
        if (method, path) == ("GET", "/swarm"):
            return {
                "Version": {"Index": self.index},
                "Spec": {"Name": "default"},
                "JoinTokens": {"Worker": f"SWMTKN-1-{self.rotations}", "Manager": "never"},
            }
        assert (method, path) == ("POST", "/swarm/update")
        # Without its spec a Swarm would be given an empty one.
        assert body == {"Name": "default"}
        assert query == {"version": str(self.index), "rotateWorkerToken": "true"}
        self.index += 1
        self.rotations += 1
        return None


class Aws:
    """Secrets Manager and SSM as far as the program calls them."""

    def __init__(self, secret: str | None = None, fails: str | None = None) -> None:
        self.secret = secret
        self.fails = fails
        self.puts = 0
        self.parameters: list[dict[str, str]] = []

    def __call__(self, service: str) -> "Aws":
        assert service in {"secretsmanager", "ssm"}
        return self

    def get_secret_value(self, **request: str) -> dict[str, str]:
        if self.fails:
            raise ClientError({"Error": {"Code": self.fails}}, "GetSecretValue")
        if self.secret is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.secret}

    def put_secret_value(self, **request: str) -> None:
        assert request["SecretId"] == "labswarm/db/swarm-join"
        self.secret = request["SecretString"]
        self.puts += 1

    def get_paginator(self, operation: str) -> "Aws":
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, **request: object) -> list[dict[str, list[dict[str, str]]]]:
        assert request == {"Path": "/labswarm/clusters", "Recursive": True}
        return [{"Parameters": [parameter]} for parameter in self.parameters]


def test_an_empty_secret_is_given_the_token(program: ModuleType, config: NodeConfig) -> None:
    aws = Aws()
    assert program.join_secret(config, Engine(), aws, rotate=False)
    assert json.loads(aws.secret or "") == {"token": "SWMTKN-1-0", "manager": "10.0.0.10:2377"}


def test_a_token_that_is_there_makes_no_new_version(
    program: ModuleType, config: NodeConfig
) -> None:
    aws = Aws()
    program.join_secret(config, Engine(), aws, rotate=False)
    assert not program.join_secret(config, Engine(), aws, rotate=False)
    assert aws.puts == 1


def test_a_rotated_token_is_published(program: ModuleType, config: NodeConfig) -> None:
    aws, engine = Aws(), Engine()
    program.join_secret(config, engine, aws, rotate=False)
    assert program.join_secret(config, engine, aws, rotate=True)
    assert engine.rotations == 1
    assert json.loads(aws.secret or "")["token"] == "SWMTKN-1-1"


def test_a_rotation_that_was_not_published_is_published_by_the_next_run(
    program: ModuleType, config: NodeConfig
) -> None:
    aws, engine = Aws(fails="ThrottlingException"), Engine()
    with pytest.raises(Transient):
        program.join_secret(config, engine, aws, rotate=True)
    aws.fails = None
    assert program.join_secret(config, engine, aws, rotate=False)
    assert json.loads(aws.secret or "")["token"] == "SWMTKN-1-1"


def test_a_secret_that_may_not_be_read_is_not_written_blindly(
    program: ModuleType, config: NodeConfig
) -> None:
    aws = Aws(fails="AccessDeniedException")
    with pytest.raises(Permanent):
        program.join_secret(config, Engine(), aws, rotate=False)
    assert aws.puts == 0


def test_something_else_in_the_secret_is_replaced(program: ModuleType, config: NodeConfig) -> None:
    aws = Aws(secret="not JSON")
    assert program.join_secret(config, Engine(), aws, rotate=False)


def test_the_certificate_is_for_the_web_server_alone(program: ModuleType, tmp_path: Path) -> None:
    program.certificate("tls", tmp_path, Aws(secret='{"certificate": "C", "key": "K"}'))
    assert (tmp_path / "certificate.pem").read_text() == "C"
    assert (tmp_path / "key.pem").read_text() == "K"
    assert (tmp_path / "key.pem").stat().st_mode & 0o007 == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["certificate.pem", "key.pem"]


@pytest.mark.parametrize("secret", ["very secret", '{"key": "very secret"}', "[]"])
def test_a_secret_of_another_form_is_refused_without_being_shown(
    program: ModuleType, tmp_path: Path, secret: str
) -> None:
    with pytest.raises(Permanent) as refused:
        program.certificate("tls", tmp_path, Aws(secret=secret))
    assert "very secret" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def described(name: str, manager: str, memory_bytes: int) -> dict[str, str]:
    """A cluster's parameter, as SSM lists it."""
    description = {
        "name": name,
        "asg": f"labswarm-{name}-workers",
        "manager": manager,
        "chef": {
            "url": "https://chef.labswarm.internal",
            "organization": "labswarm",
            "ca_pem": None,
            "admin": "labswarm",
            "key_id": "alias/labswarm-chef-admin",
        },
        "seat": {"memory_bytes": memory_bytes, "nano_cpus": 1},
        "overhead": {"memory_bytes": 0, "nano_cpus": 0},
        "headroom": 0,
        "images": [f"{name}-image:1"],
        "empty_deadline_s": 900,
        "timetable": None,
    }
    return {"Name": f"/labswarm/clusters/{name}", "Value": json.dumps(description)}


def test_the_hubs_clusters_are_its_own_and_those_of_its_groups(
    program: ModuleType, config: NodeConfig
) -> None:
    aws = Aws()
    aws.parameters = [
        described("db", config.instance_id, 1024),
        described("db-gpu", config.instance_id, 4096),
        described("ml", "i-0fedcba9876543210", 2048),
    ]
    description = program.description(config, aws)
    assert description["seat"] == {"memory_bytes": 1024, "nano_cpus": 1}
    assert set(description["groups"]) == {"gpu"}
    assert description["groups"]["gpu"]["seat"]["memory_bytes"] == 4096
    assert description["groups"]["gpu"]["image"] == "db-gpu-image:1"


def test_a_cluster_without_a_description_is_reported(
    program: ModuleType, config: NodeConfig
) -> None:
    with pytest.raises(BadInput):
        program.description(config, Aws())


@pytest.fixture(params=[20, -3])
def web_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """A port with a certificate of nobody's authority, and the days that it is still valid."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db.example.edu")])
    key = ec.generate_private_key(ec.SECP256R1())
    signed = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = signed.not_valid_before(now - timedelta(days=90))
    signed = signed.not_valid_after(now + timedelta(days=request.param))
    (tmp_path / "tls.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + signed.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem")
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, request.param
        server.shutdown()


def test_the_days_of_a_certificate_are_known_also_when_it_has_run_out(
    program: ModuleType, web_server: tuple[int, int]
) -> None:
    port, days = web_server
    assert program.days_left("db.example.edu", port) == pytest.approx(days, abs=0.01)


def test_the_days_are_the_metric_that_terraforms_alarm_reads(
    program: ModuleType, config: NodeConfig
) -> None:
    sent: list[Any] = []

    class CloudWatch:
        def put_metric_data(self, **request: Any) -> None:
            sent.append(request)

    program.report_days(config, 12.5, lambda service: {"cloudwatch": CloudWatch()}[service])
    (request,) = sent
    (metric,) = request["MetricData"]
    alarm = (PROGRAM.parents[4] / "terraform-base/modules/hub/observability.tf").read_text()
    assert f'metric_name         = "{metric["MetricName"]}"' in alarm
    assert request["Namespace"] == "CWAgent"
    assert metric["Dimensions"] == [{"Name": "InstanceId", "Value": config.instance_id}]
    assert metric["Value"] == 12.5


def test_a_web_server_that_does_not_answer_fails_the_command_in_one_sentence(
    program: ModuleType, config: NodeConfig, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def refused(domain: str) -> float:
        raise ConnectionRefusedError(f"nothing listens for {domain}")

    monkeypatch.setattr(program, "days_left", refused)
    monkeypatch.setattr(program.NodeConfig, "read", lambda: config)
    assert program.main(["certificate-days", "db.example.edu"]) == 1
    assert capsys.readouterr().err == "labswarm-hub: nothing listens for db.example.edu\n"
