"""A registry on the lab's bridge, from which its machines pull: Debian's docker-registry."""

import http.client
import json
import shutil
import subprocess
import time

from labswarm.errors import Permanent
from labswarm_lab.nodes.settings import NodesSettings

PORT = 5000
_PATIENCE_S = 15.0
_LOOK_S = 0.02


def start(settings: NodesSettings) -> str:
    """Start it, unless it answers already; where it is (address:port).

    Raises Permanent when it is not installed, or does not answer within 15 s.
    """
    address = f"{settings.gateway}:{PORT}"
    if _answers(address):
        return address
    program = shutil.which("docker-registry")
    if program is None:
        raise Permanent("docker-registry is not installed; install it (Debian: docker-registry)")
    directory = settings.place.registry_dir
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "config.yml"
    # JSON is YAML.
    config.write_text(
        json.dumps(
            {
                "version": 0.1,
                "log": {"level": "warn"},
                "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
                "http": {"addr": address},
            }
        )
    )
    with (directory / "registry.log").open("ab") as log:
        process = subprocess.Popen(
            [program, "serve", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=settings.place.mark,
            start_new_session=True,
        )
    deadline = time.monotonic() + _PATIENCE_S
    while not _answers(address):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise Permanent(f"the registry does not answer at {address}; see {log.name}")
        time.sleep(_LOOK_S)
    return address


def _answers(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=1)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
