"""The seam to the hub: stop and start students' servers, and send them notices."""

import http.client
import json
import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, Literal, Protocol
from urllib.parse import quote, urlsplit

from labswarm.errors import Gone, Permanent, Transient
from labswarm.notices import Message, Notice, key_of
from labswarm_node.config import HubConfig

Running = Literal["absent", "ready", "pending"]
"""A server as the hub sees it; `pending` while it starts or stops."""

# Less than the 5 s of a manager command, which makes several calls at once.
_TIMEOUT_S = 3.0
# For all pages of a list: the snapshot service looks at nothing else until then.
_LISTED_WITHIN_S = 5.0
# Bytes of an answer; a user's description has a few thousand at most.
_LONGEST = 2**22
# Users in one answer: half of the hub's own limit (api_page_max_limit).
_PAGE = 100
_PAGES = "application/jupyterhub-pagination+json"


class Hub(Protocol):
    """The hub's API; every call raises Transient when it does not answer."""

    def running(self, user: str, server: str) -> Running:
        """Return the state of a student's server."""
        ...

    def servers(self) -> frozenset[tuple[str, str]]:
        """Return student and server name of every server that is ready or pending.

        Raises Transient when the hub does not list them all within 5 s. Raises Permanent when this
        token may not see servers, or when the answer is no list of them.
        """
        ...

    def stop(self, user: str, server: str) -> None:
        """Request a stop, without waiting for its end; a second stop is no error."""
        ...

    def start(self, user: str, server: str) -> None:
        """Request a start with the last options, without waiting for it.

        A server that runs is no error. Raises Transient while it stops, Permanent for an unknown
        user.
        """
        ...

    def notify(self, user: str, server: str, notice: Notice | Message) -> None:
        """Send a notice or a message to a student's server; it replaces the last one of its kind.

        Raises Gone when there is no such server, or when its image has no labswarm_notice. Raises
        Permanent when the server refuses a notice of this hub.
        """
        ...

    def is_saving(self, user: str, server: str) -> bool:
        """Return whether an open page of the server has not saved yet since the last notice.

        Raises as `notify`.
        """
        ...


class HubApi:
    """`Hub` over JupyterHub's REST API.

    https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html
    """

    def __init__(self, config: HubConfig) -> None:
        self._config = config

    def running(self, user: str, server: str) -> Running:
        status, content = self._call("GET", f"/users/{quote(user, safe='')}", frozenset({404}))
        if status == 404:
            return "absent"
        servers = _servers_of(_read(content))
        return _running(servers[server]) if server in servers else "absent"

    def servers(self) -> frozenset[tuple[str, str]]:
        deadline = time.monotonic() + _LISTED_WITHIN_S
        found: set[tuple[str, str]] = set()
        offset: int | None = 0
        while offset is not None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise Transient(f"the hub has not listed its servers in {_LISTED_WITHIN_S:g} s")
            path = f"/users?state=active&limit={_PAGE}&offset={offset}"
            _, content = self._call("GET", path, frozenset(), accept=_PAGES, within_s=left_s)
            active, offset = _page_of(_read(content))
            found |= active
        return frozenset(found)

    def stop(self, user: str, server: str) -> None:
        # 400: a start or stop is under way; 404: there is none to stop.
        self._call("DELETE", _path(user, server), also=frozenset({400, 404}))

    def start(self, user: str, server: str) -> None:
        # Without a body the hub takes the options it kept.
        status, _ = self._call("POST", _path(user, server), also=frozenset({400}))
        # 400: it runs already, or a stop is under way.
        if status == 400 and self.running(user, server) != "ready":
            raise Transient(f"the hub does not start {user}'s server {server!r} now")

    def notify(self, user: str, server: str, notice: Notice | Message) -> None:
        self._call_server("POST", user, server, json.dumps(asdict(notice)))

    def is_saving(self, user: str, server: str) -> bool:
        answer = _read(self._call_server("GET", user, server))
        if not isinstance(answer, dict) or type(answer.get("saving")) is not bool:
            raise Permanent(f"{user}'s server {server!r} does not say whether a page saves")
        return bool(answer["saving"])

    def _call_server(self, method: str, user: str, server: str, body: str | None = None) -> bytes:
        """Make one call to the labswarm_notice of a student's server; return its answer.

        Raises Gone where there is none, Permanent when it refuses the call.
        """
        # The server belongs to its student, who must not see the hub's token.
        key = key_of(self._token(), user, server)
        status, content = _request(
            method,
            self._config.proxy_url + _server_path(user, server) + "/labswarm/notify",
            {"Authorization": f"labswarm {key}", "Content-Type": "application/json"},
            body,
        )
        # Hub and Jupyter answer with these to an unknown path; a wrong key gives a 401.
        if status in (403, 404, 405, 424):
            raise Gone(f"{user}'s server {server!r} takes no notices ({status})")
        if status >= 300:
            raise Permanent(f"{user}'s server {server!r} refuses the call with {status}")
        return content

    def _call(
        self,
        method: str,
        path: str,
        also: frozenset[int],
        accept: str = "application/json",
        within_s: float = math.inf,
    ) -> tuple[int, bytes]:
        """Make one call; return status and content.

        Raises Permanent for a status of 4xx not in `also`.
        """
        headers = {"Authorization": f"token {self._token()}", "Accept": accept}
        status, content = _request(method, self._config.api_url + path, headers, within_s=within_s)
        if status >= 400 and status not in also:
            raise Permanent(f"the hub answers {method} {path} with {status}")
        return status, content

    def _token(self) -> str:
        try:
            return self._config.token_file.read_text().strip()
        except OSError as error:
            # The hub writes it when it starts for the first time.
            raise Transient(f"{self._config.token_file} cannot be read: {error}") from error


def _request(
    method: str,
    to: str,
    headers: Mapping[str, str],
    body: str | None = None,
    within_s: float = math.inf,
) -> tuple[int, bytes]:
    """Make one request; return status and content. Raises Transient without an answer in time.

    It has `within_s` to connect and be answered in full, and 3 s at most.
    """
    within_s = min(_TIMEOUT_S, within_s)
    deadline = time.monotonic() + within_s
    url = urlsplit(to)
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(url.netloc, timeout=within_s)
    try:
        connection.connect()
        with _cut_after(deadline - time.monotonic(), connection.sock):
            target = f"{url.path}?{url.query}" if url.query else url.path
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            status, content = answer.status, answer.read(_LONGEST)
    except (OSError, http.client.HTTPException) as error:
        raise Transient(f"the hub does not answer: {error}") from error
    finally:
        connection.close()
    if status == 429 or status >= 500:
        raise Transient(f"the hub answers {method} {url.path} with {status}")
    return status, content


@contextmanager
def _cut_after(seconds: float, link: socket.socket) -> Iterator[None]:
    """Shut the socket down when this lasts longer, and raise TimeoutError.

    Its own timeout is for each byte: a student's server that answers one byte a second, for
    mischief, would hold up all others on the node.
    """
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    # A cut connection may look like the end of an answer.
    if late.is_set():
        raise TimeoutError(f"no whole answer within {seconds:.1f} s")


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise Permanent(f"the hub's answer is no JSON: {error}") from error


def _servers_of(user: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a user's active servers by name.

    Raises Permanent when the answer has no servers: the hub leaves them out for a token that may
    not read them.
    """
    if "servers" not in user:
        raise Permanent(f"the hub does not show {user.get('name')}'s servers")
    servers: Mapping[str, Any] = user["servers"]
    return servers


def _page_of(page: Any) -> tuple[set[tuple[str, str]], int | None]:
    """Return the active servers on a page of users, and the offset of the next page, if any.

    Raises Permanent for an answer that is no page of users, and as `_servers_of`.
    """
    try:
        active = {
            (user["name"], name)
            for user in page["items"]
            for name, server in _servers_of(user).items()
            if _running(server) != "absent"
        }
        more = page["_pagination"]["next"]
        return active, None if more is None else int(more["offset"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Permanent(f"the hub's answer is no page of users: {error!r}") from error


def _running(server: Mapping[str, Any]) -> Running:
    if server["pending"]:
        return "pending"
    return "ready" if server["ready"] else "absent"


def _server_path(user: str, server: str) -> str:
    """Where the proxy has a server, escaped as JupyterHub does (jupyterhub.utils)."""
    return "/user/" + "/".join(quote(name, safe="@~") for name in (user, server) if name)


def _path(user: str, server: str) -> str:
    whose = f"/users/{quote(user, safe='')}"
    return f"{whose}/servers/{quote(server, safe='')}" if server else f"{whose}/server"
