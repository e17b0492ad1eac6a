"""node.json: accepted values, and the names in a refusal."""

import json
from pathlib import Path
from typing import Any

import pytest

from labswarm.errors import BadInput
from labswarm_node.config import NodeConfig


def document() -> dict[str, Any]:
    return {
        "cluster": "lab",
        "instance_id": "i-0123456789abcdef0",
        "role": "worker",
        "region": "eu-west-1",
        "docker_host": "unix:///var/run/docker.sock",
        "advertise_address": "10.98.0.11",
        "aws_endpoint_url": None,
        "join_secret": "labswarm/lab/swarm-join",
        "images": ["10.98.0.1:5000/labswarm/notebook@sha256:" + "0" * 64],
        "chef": {
            "url": "https://chef.example/",
            "organization": "labs",
            "ca_file": None,
            "node_name": "lab-i-0123456789abcdef0",
            "key_file": "/etc/labswarm/chef/client.pem",
            "client": "chef-client",
        },
        "hub": None,
    }


def test_a_worker_knows_its_chef_server_and_has_no_hub() -> None:
    config = NodeConfig.parse(json.dumps(document()))
    assert config.chef.base_url == "https://chef.example/organizations/labs"
    assert config.chef.client_rb == Path("/etc/labswarm/chef/client.rb")
    assert config.hub is None
    assert config.state_dir == Path("/var/lib/labswarm-manager")


def test_the_hub_has_to_know_its_api() -> None:
    with pytest.raises(BadInput, match=r"^hub: "):
        NodeConfig.parse(json.dumps({**document(), "role": "hub"}))
    hub = {"api_url": "http://10.98.0.10:8081/hub/api", "token_file": "/srv/token"}
    config = NodeConfig.parse(json.dumps({**document(), "role": "hub", "hub": hub}))
    assert config.hub is not None
    assert config.hub.token_file == Path("/srv/token")


@pytest.mark.parametrize(
    ("given", "proxy_url"),
    [
        ({"proxy_url": "http://127.0.0.1:8000/labs/"}, "http://127.0.0.1:8000/labs"),
        # Of the version before.
        ({}, "http://10.98.0.10:8000"),
    ],
)
def test_students_servers_are_reached_through_the_hub_s_proxy(
    given: dict[str, str], proxy_url: str
) -> None:
    hub = {"api_url": "http://10.98.0.10:8081/hub/api", "token_file": "/srv/token", **given}
    config = NodeConfig.parse(json.dumps({**document(), "role": "hub", "hub": hub}))
    assert config.hub is not None
    assert config.hub.proxy_url == proxy_url


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cluster", "Lab"),
        ("instance_id", "i-xyz"),
        ("role", "manager"),
        ("docker_host", "tcp://10.0.0.1:2375"),
        ("advertise_address", "eth0; reboot"),
        ("aws_endpoint_url", "10.98.0.1:5060"),
        ("images", "one"),
        ("images", ["--all-tags"]),
        ("chef.url", None),
        ("chef.key_file", "client.pem"),
        ("chef", "https://chef.example"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(field: str, value: object) -> None:
    values = document()
    *inside, name = field.split(".")
    (values[inside[0]] if inside else values)[name] = value
    with pytest.raises(BadInput) as refused:
        NodeConfig.parse(json.dumps(values))
    assert refused.value.field == field


def test_a_missing_file_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "node.json"
    with pytest.raises(BadInput, match=str(path)):
        NodeConfig.read({"LABSWARM_NODE_CONFIG": str(path)})


@pytest.mark.parametrize(
    ("where", "key", "known"),
    [((), "image", "images"), (("chef",), "policy_groups", "policy_group")],
)
def test_an_unknown_field_is_refused_with_the_nearest_known_one(
    where: tuple[str, ...], key: str, known: str
) -> None:
    values = document()
    inside = values
    for name in where:
        inside = inside[name]
    inside[key] = "x"
    with pytest.raises(BadInput, match=f"is not known; did you mean {known!r}") as refused:
        NodeConfig.parse(json.dumps(values))
    assert refused.value.field == ".".join([*where, key])


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_text_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"^node\.json: "):
        NodeConfig.parse(text)
