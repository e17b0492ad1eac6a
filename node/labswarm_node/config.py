"""A node's configuration: its own identity and its cluster, from /etc/labswarm/node.json."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from labswarm.cluster import INSTANCE_ID
from labswarm.errors import BadInput
from labswarm.fields import Fields, names
from labswarm.names import DEFAULT, PREFIX

DEFAULT_PATH = "/etc/labswarm/node.json"
_DEFAULT_STATE_DIR = "/var/lib/labswarm-manager"

CLUSTER = re.compile(r"[a-z][a-z0-9-]{0,19}")
# Swarm's own ids: swarmkit identity/randomid.go, maxRandomIDLength.
SWARM_ID = re.compile(r"[a-z0-9]{25}")
IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
_ROLE = re.compile(r"worker|hub")
_DOCKER_HOST = re.compile(r"unix:///\S+")
_URL = re.compile(r"https?://\S+")
# https://docs.chef.io/policyfile/: 255 characters of these at most.
_POLICY = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
_ADDRESS = re.compile(r"[0-9a-fA-F.:]+")


@dataclass(frozen=True)
class ChefConfig:
    """The node's Chef Server and its name there; `client` is the command of its chef-client.

    `policy_name` and `policy_group` name its policy, with pinned versions; None: roles.
    """

    url: str
    organization: str | None
    ca_file: Path | None
    node_name: str
    key_file: Path
    client: str
    policy_name: str | None = None
    policy_group: str | None = None

    @property
    def base_url(self) -> str:
        """The server's URL with the organization, if there is one."""
        return self.url + (f"/organizations/{self.organization}" if self.organization else "")

    @property
    def client_rb(self) -> Path:
        """chef-client's configuration, next to the key."""
        return self.key_file.with_name("client.rb")

    @property
    def log_file(self) -> Path:
        """chef-client's log, next to its configuration."""
        return self.key_file.with_name("client.log")


@dataclass(frozen=True)
class HubConfig:
    """Where the hub's API is, the file with the token for it, and where students' servers are."""

    api_url: str
    token_file: Path
    proxy_url: str


@dataclass(frozen=True)
class NodeConfig:
    """One node of a cluster. `hub` is there on the hub only.

    `state_dir` is where labswarm-manager remembers the moves it has begun. `prefix` is the app's.
    """

    cluster: str
    instance_id: str
    role: str
    region: str
    docker_host: str
    advertise_address: str
    aws_endpoint_url: str | None
    join_secret: str
    images: tuple[str, ...]
    chef: ChefConfig
    hub: HubConfig | None
    state_dir: Path
    prefix: str = DEFAULT

    @classmethod
    def parse(cls, text: str) -> "NodeConfig":
        """Read a node.json. Raises BadInput naming the first field that is wrong."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInput(
                "node.json", f"is no JSON ({error}); run chef-client to write it"
            ) from error
        fields = Fields(values, names(cls), of="node.json")
        role = fields.text("role", _ROLE)
        return cls(
            cluster=fields.text("cluster", CLUSTER),
            instance_id=fields.text("instance_id", INSTANCE_ID),
            role=role,
            region=fields.text("region"),
            docker_host=fields.text("docker_host", _DOCKER_HOST),
            advertise_address=fields.text("advertise_address", _ADDRESS),
            aws_endpoint_url=fields.optional("aws_endpoint_url", _URL),
            join_secret=fields.text("join_secret"),
            images=fields.texts("images", IMAGE),
            chef=_chef(fields.inside("chef", names(ChefConfig))),
            hub=_hub(fields.inside("hub", names(HubConfig))) if role == "hub" else None,
            state_dir=Path(fields.optional("state_dir") or _DEFAULT_STATE_DIR),
            prefix=fields.optional("prefix", PREFIX) or DEFAULT,
        )

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "NodeConfig":
        """Read the file that LABSWARM_NODE_CONFIG names. Raises BadInput, also without it."""
        path = Path(environment.get("LABSWARM_NODE_CONFIG", DEFAULT_PATH))
        try:
            text = path.read_text()
        except OSError as error:
            raise BadInput(
                "LABSWARM_NODE_CONFIG", f"{path} cannot be read ({error.strerror}); write it"
            ) from error
        return cls.parse(text)


def _chef(fields: Fields) -> ChefConfig:
    ca_file = fields.optional("ca_file")
    return ChefConfig(
        url=fields.text("url", _URL).rstrip("/"),
        organization=fields.optional("organization"),
        ca_file=None if ca_file is None else Path(ca_file),
        node_name=fields.text("node_name", re.compile(r"[a-z0-9-]+")),
        key_file=Path(fields.text("key_file", re.compile(r"/.+"))),
        client=fields.text("client"),
        policy_name=fields.optional("policy_name", _POLICY),
        policy_group=fields.optional("policy_group", _POLICY),
    )


def _hub(fields: Fields) -> HubConfig:
    api_url = fields.text("api_url", _URL).rstrip("/")
    # A node.json of the last version does not name it: then it is our own hub's port.
    own_hub = f"{urlsplit(api_url).scheme}://{urlsplit(api_url).hostname}:8000"
    return HubConfig(
        api_url=api_url,
        token_file=Path(fields.text("token_file")),
        proxy_url=(fields.optional("proxy_url", _URL) or own_hub).rstrip("/"),
    )
