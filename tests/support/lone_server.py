"""One student's Jupyter server with a class's files and no hub.

The page in a browser is the one that students have. A test gives the answers of the hub.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from labswarm_lab.nodes.cookbooks import CLASS_FILES

_CLASS = Path(__file__).resolve().parents[2] / ".class"
STUDENT = "eve"
# Starts in 2 s on an idle machine.
_READY_WITHIN_S = 120
# The page takes its hub from these values, which JupyterHub's server extension gives otherwise.
_CONFIG = f"""
c.ServerApp.tornado_settings = {{
    "page_config_hook": lambda handler, page: {{
        **page, "hubUser": "{STUDENT}", "hubPrefix": "/hub/", "hubServerName": ""
    }}
}}
c.ServerApp.allow_root = c.ServerApp.terminals_enabled = True
c.ServerApp.open_browser = False
c.ServerApp.base_url = "/user/{STUDENT}/"
c.ServerApp.port = 0
c.IdentityProvider.token = ""
"""


@dataclass(frozen=True)
class LoneServer:
    """`site` is where a hub would be; `home` has the student's files."""

    site: str
    home: Path


@contextmanager
def lone_server(
    folder: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[LoneServer]:
    """Run a server in a folder with nothing in it but perhaps a `home`; it ends with the block."""
    own, home, runtime = folder / "own", folder / "home", folder / "runtime"
    for one in (own, home, runtime):
        one.mkdir(exist_ok=True)
    (own / "jupyter_server_config.py").write_text(_CONFIG)
    for source, target in CLASS_FILES.items():
        laid = folder / target.removeprefix("/")
        laid.parent.mkdir(parents=True, exist_ok=True)
        laid.symlink_to(source)
    classes = folder / "etc/labswarm/jupyter"
    whole = {
        "PATH": f"{_CLASS}/bin:{os.environ['PATH']}",
        "HOME": str(home),
        "JUPYTER_CONFIG_PATH": f"{own}:{classes}:{folder}/etc/jupyter",
        "JUPYTER_PATH": str(classes),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "LABSWARM_NOTICE_KEY": "key",
        **environment,
    }
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [_CLASS / "bin/python", "-m", "jupyter_server"],
            cwd=home,
            env=whole,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield LoneServer(_site(server, runtime, folder / "log"), home)
        finally:
            server.terminate()
            server.wait(30)


def _site(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Return where the server listens, once it does."""
    about = runtime / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + _READY_WITHIN_S
    while not _listens(about):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return f"http://127.0.0.1:{json.loads(about.read_text())['port']}"


def _listens(about: Path) -> bool:
    """Return whether a server listens on the port that its file names, which it writes before."""
    try:
        socket.create_connection(("127.0.0.1", json.loads(about.read_text())["port"])).close()
    except (OSError, ValueError):
        return False
    return True
