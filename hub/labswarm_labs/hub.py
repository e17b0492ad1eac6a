"""The hub's API, as the page itself (with few rights) or as the person at the page."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse

from labswarm.errors import Permanent, Transient

_KEPT_S = 30.0
_PATIENCE_S = 10.0
_PAGE = 200
_STOPS_WITHIN_S = 20.0
_LOOK_S = 0.5
# Calls at a time: a class has hundreds of servers.
_AT_A_TIME = 10


class Hub:
    """The hub's API with a token. Its methods raise Transient without an answer, and Permanent when
    the token may not do it."""

    def __init__(self, api_url: str, token: str) -> None:
        self._api_url = api_url
        self._token = token
        self._read_at, self._names = -_KEPT_S, frozenset[str]()

    def of_person(self, token: str) -> "Hub":
        """Return the API with a person's own token."""
        return Hub(self._api_url, token)

    async def groups(self) -> frozenset[str]:
        """Return the names of all groups, at most half a minute old."""
        if time.monotonic() - self._read_at >= _KEPT_S:
            answer = await self._all("/groups")
            self._names = frozenset(str(group["name"]) for group in answer)
            self._read_at = time.monotonic()
        return self._names

    async def members(self, group: str) -> list[str]:
        """Return the names of a group's users."""
        answer = await self._call("GET", f"/groups/{quote(group, safe='')}")
        return [str(name) for name in json.loads(answer.body)["users"]]

    async def active(self) -> list[dict[str, Any]]:
        """Return the users with a server, as far as the token may list them."""
        return await self._all("/users?state=active")

    async def start(self, user: str, profile: str | None = None) -> None:
        """Ask for a server, without waiting for it; one that is there is no error."""
        body = json.dumps({} if profile is None else {"profile": profile})
        # 400: it runs already.
        await self._call("POST", _server(user), body, also=400)

    async def stop(self, user: str) -> None:
        """Ask for the server's end, without waiting for it; one that is gone is no error."""
        await self._call("DELETE", _server(user), also=404)

    async def stop_all(self, users: list[str]) -> list[str]:
        """Ask for the end of all these servers, and return the users where that failed."""
        free = asyncio.Semaphore(_AT_A_TIME)

        async def failed(user: str) -> bool:
            async with free:
                try:
                    await self.stop(user)
                except (Transient, Permanent):
                    return True
                return False

        outcomes = await asyncio.gather(*map(failed, users))
        return [user for user, wrong in zip(users, outcomes, strict=True) if wrong]

    async def restart(self, user: str) -> None:
        """Stop the server and start it again. Raises Transient when it has not ended in 20 s."""
        await self.stop(user)
        deadline = time.monotonic() + _STOPS_WITHIN_S
        while await self._has_server(user):
            if time.monotonic() > deadline:
                raise Transient(f"the server of {user} has not stopped yet")
            await asyncio.sleep(_LOOK_S)
        await self.start(user)

    async def _has_server(self, user: str) -> bool:
        answer = await self._call("GET", f"/users/{quote(user, safe='')}")
        return "" in json.loads(answer.body).get("servers", {})

    async def _all(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        while True:
            sign = "&" if "?" in path else "?"
            answer = await self._call("GET", f"{path}{sign}limit={_PAGE}&offset={len(found)}")
            page = json.loads(answer.body)
            found += page
            if len(page) < _PAGE:
                return found

    async def _call(
        self, method: str, path: str, body: str | None = None, also: int = 0
    ) -> HTTPResponse:
        try:
            answer = await AsyncHTTPClient().fetch(
                self._api_url + path,
                method=method,
                body=body,
                headers={"Authorization": f"token {self._token}"},
                request_timeout=_PATIENCE_S,
                raise_error=False,
            )
        except (HTTPClientError, OSError) as error:
            raise Transient(f"the hub does not answer {path}: {error}") from error
        if answer.code >= 500 or answer.code == 429:
            raise Transient(f"the hub answers {path} with {answer.code}")
        if answer.code >= 400 and answer.code != also:
            raise Permanent(f"the hub refuses {method} {path.partition('?')[0]} ({answer.code})")
        return answer


def _server(user: str) -> str:
    return f"/users/{quote(user, safe='')}/server"
