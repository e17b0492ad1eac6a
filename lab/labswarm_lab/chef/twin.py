"""The lab's Chef Server: a twin of Chef's own, with one organization, as a process.

`python -m labswarm_lab.chef.twin --config FILE` serves it.
"""

import argparse
import json
import ssl
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from labswarm_lab.chef.api import Api
from labswarm_lab.chef.authentication import Request
from labswarm_lab.chef.keys import KeySigner, write_private
from labswarm_lab.chef.objects import SUPERUSER, Actor, Objects
from labswarm_lab.chef.server import ChefProcess

ORGANIZATION = "labswarm"
_IDLE_S = 30


@dataclass(frozen=True)
class Settings:
    """The settings of the twin's process; all files are its own but the TLS ones."""

    address: str
    port: int
    organization: str
    objects: str
    first_key: str
    certificate: str
    key: str


class Twin(ChefProcess):
    """One twin; its objects survive its end, and a kill too."""

    def __init__(
        self, address: str, port: int, state_dir: Path, organization: str = ORGANIZATION
    ) -> None:
        super().__init__(address, port, state_dir)
        self._organization = organization

    @property
    def organization(self) -> str:
        return self._organization

    def start(self) -> None:
        settings = Settings(
            self._address,
            self._port,
            self._organization,
            objects=str(self._data / "objects.json"),
            first_key=str(self._first_key),
            certificate=str(self._tls.certificate),
            key=str(self._tls.key),
        )
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._settings.write_text(json.dumps(asdict(settings)))
        super().start()

    @property
    def _settings(self) -> Path:
        return self._state / "twin.json"

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "labswarm_lab.chef.twin", f"--config={self._settings}"]


class Server(ThreadingHTTPServer):
    """Serves one `Api` over TLS; every change is on disk before it is answered."""

    daemon_threads = True

    def __init__(self, settings: Settings) -> None:
        super().__init__((settings.address, settings.port), Handler)
        self._objects = Path(settings.objects)
        held = Objects.parse(self._objects.read_text()) if self._objects.exists() else Objects()
        self._api = Api(held, settings.organization)
        self._lock = threading.Lock()
        if SUPERUSER not in held.users:
            first = KeySigner.generate()
            first.write(Path(settings.first_key))
            held.users[SUPERUSER] = Actor(SUPERUSER, first.public_pem, admin=True)
            self._write()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.certificate, settings.key)
        # The handshake is left to each connection's own thread: a silent client must not stop all.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def answer(self, request: Request) -> tuple[int, Any]:
        """The status and JSON body for one request."""
        with self._lock:
            answer = self._api.answer(request, datetime.now(UTC))
            if request.method != "GET" and answer[0] < 300:
                self._write()
        return answer

    def _write(self) -> None:
        write_private(self._objects, self._api.objects.to_json().encode())


class Handler(BaseHTTPRequestHandler):
    """HTTP around `Server.answer`."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    wbufsize = -1  # an answer goes out in one piece: two would wait for each other (Nagle)
    server: Server

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = Request(
            self.command,
            self.path.partition("?")[0],
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        status, body = self.server.answer(request)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815  # http.server's names


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the settings (JSON)")
    settings = Settings(**json.loads(parser.parse_args().config.read_text()))
    Server(settings).serve_forever()


if __name__ == "__main__":
    main()
