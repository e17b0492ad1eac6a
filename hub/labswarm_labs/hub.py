"""The hub's API, with the service's own token and its few rights."""

import json
import time
from typing import Any
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from labswarm.errors import Transient

_KEPT_S = 30.0
_PATIENCE_S = 5.0


class HubGroups:
    """The names of the hub's groups."""

    def __init__(self, api_url: str, token: str) -> None:
        self._api_url = api_url
        self._token = token
        self._read_at, self._names = -_KEPT_S, frozenset[str]()

    async def names(self) -> frozenset[str]:
        """Return the names, at most half a minute old. Raises Transient without an answer."""
        if time.monotonic() - self._read_at >= _KEPT_S:
            answer = await self._get("/groups?limit=200")
            self._names = frozenset(str(group["name"]) for group in answer)
            self._read_at = time.monotonic()
        return self._names

    async def members(self, group: str) -> list[str]:
        """Return the names of a group's users. Raises Transient without an answer."""
        answer = await self._get(f"/groups/{quote(group, safe='')}")
        return [str(name) for name in answer["users"]]

    async def _get(self, path: str) -> Any:
        try:
            answer = await AsyncHTTPClient().fetch(
                self._api_url + path,
                headers={"Authorization": f"token {self._token}"},
                request_timeout=_PATIENCE_S,
            )
        except (HTTPClientError, OSError) as error:
            raise Transient(f"the hub does not answer {path}: {error}") from error
        return json.loads(answer.body)
