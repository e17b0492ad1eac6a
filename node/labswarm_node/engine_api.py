"""Docker's Engine API over its Unix socket, as far as the nodes need it.

It uses the standard library alone. The tools are started several times in each node's launch, and
the SDK's import is most of such a call. The SDK also cannot join with an availability.
https://docs.docker.com/reference/api/engine/
"""

import http.client
import json
import re
import socket
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from labswarm.errors import BadInput, Transient
from labswarm_node.engine_errors import engine_error

# The newest version whose documentation this was written by; older ones from 1.41 are alike.
_NEWEST_KNOWN = (1, 47)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("docker", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class EngineApi:
    """Calls of one daemon; `docker_host` is a unix:// URL. Raises BadInput for another one."""

    def __init__(self, docker_host: str) -> None:
        if not docker_host.startswith("unix:///"):
            raise BadInput("docker_host", f"is {docker_host!r}; write unix:// and a socket's path")
        self._socket = docker_host.removeprefix("unix://")
        self._prefix: str | None = None

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout_s: float = 5.0,
    ) -> Any:
        """One call; the JSON of its answer, or None. Raises as `engine_errors` says."""
        with self._answer(method, self._versioned(path, query), body, timeout_s) as answer:
            content = answer.read()
        return json.loads(content) if content.strip() else None

    def progress(
        self, path: str, query: Mapping[str, str], timeout_s: float, method: str = "POST"
    ) -> Generator[Mapping[str, Any], None, None]:
        """Give what the daemon reports, line by line; silence for `timeout_s` is Transient."""
        with self._answer(method, self._versioned(path, query), None, timeout_s) as answer:
            for line in answer:
                if line.strip():
                    yield json.loads(line)

    def answers(self, timeout_s: float = 1.0) -> bool:
        """Whether the daemon is up."""
        try:
            with self._answer("GET", "/_ping", None, timeout_s):
                return True
        except Transient:
            return False

    def _versioned(self, path: str, query: Mapping[str, str] | None) -> str:
        """The path under the newest version that both sides know."""
        if self._prefix is None:
            with self._answer("GET", "/_ping", None, 5.0) as answer:
                version = re.fullmatch(r"(\d+)\.(\d+)", answer.headers.get("Api-Version") or "")
            theirs = (int(version[1]), int(version[2])) if version else _NEWEST_KNOWN
            major, minor = min(theirs, _NEWEST_KNOWN)
            self._prefix = f"/v{major}.{minor}"
        return f"{self._prefix}{path}" + (f"?{urlencode(query)}" if query else "")

    @contextmanager
    def _answer(
        self, method: str, target: str, body: object, timeout_s: float
    ) -> Iterator[http.client.HTTPResponse]:
        connection = _UnixConnection(self._socket, timeout_s)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            if answer.status >= 400:
                raise engine_error(answer.status, _message(answer.read()))
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise Transient(f"the Docker daemon at {self._socket} does not answer: {error}") from (
                error
            )
        finally:
            connection.close()


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()
