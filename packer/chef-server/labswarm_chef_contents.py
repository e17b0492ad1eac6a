"""Speak with the Chef Server's API as its own superuser `pivotal`: its contents and their readers.

The requests are signed as Chef's protocol 1.3 has it:
https://docs.chef.io/server/api_chef_server/#authentication-headers
"""

import hashlib
import json
import subprocess
import time
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from ssl import SSLContext
from typing import Any

Contents = Mapping[str, list[str]]
"""Sorted names by kind: organizations, users, nodes, cookbooks (as `name version`), policies."""

USER = "pivotal"
_LINE = 60
_PATIENCE_S = 60


class Server:
    """The API of one organization at `url`, signed with `key` (a PEM file of root's)."""

    def __init__(self, url: str, organization: str, key: Path, tls: SSLContext) -> None:
        self._url = url
        self._organization = organization
        self._key = key
        self._tls = tls

    def contents(self) -> Contents:
        """Return the names of all that the organization has.

        Raises OSError when the server does not answer or refuses.
        """
        organization = self.get("")
        cookbooks = self.get("/cookbooks?num_versions=all")
        return {
            "organizations": [organization["name"]],
            "users": sorted(one["user"]["username"] for one in self.get("/users")),
            "nodes": sorted(self.get("/nodes")),
            "cookbooks": sorted(
                f"{name} {one['version']}"
                for name, about in cookbooks.items()
                for one in about["versions"]
            ),
            "policies": sorted(self.get("/policies")),
        }

    def get(self, path: str) -> Any:
        """Return the JSON at a path of the organization. Raises OSError as `contents`."""
        return self._request("GET", path, b"")

    def put(self, path: str, value: object) -> None:
        """Replace what is at a path of the organization. Raises OSError as `contents`."""
        self._request("PUT", path, json.dumps(value).encode())

    def _request(self, method: str, path: str, body: bytes) -> Any:
        path = f"/organizations/{self._organization}{path}"
        headers = signed(method, path.partition("?")[0], body, self._key, time.time())
        request = urllib.request.Request(  # noqa: S310  # the URL is ground.json's
            self._url + path,
            body or None,
            {**headers, "Accept": "application/json", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(  # noqa: S310  # as above
            request, timeout=_PATIENCE_S, context=self._tls
        ) as answer:
            return json.load(answer)


def signed(method: str, path: str, body: bytes, key: Path, now: float) -> Mapping[str, str]:
    """Return the headers that sign a request of `path`, without its query, at `now` (epoch s)."""
    timestamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    digest = b64encode(hashlib.sha256(body).digest()).decode()
    version = "1"
    canonical = "\n".join(
        (
            f"Method:{method}",
            f"Path:{path}",
            f"X-Ops-Content-Hash:{digest}",
            "X-Ops-Sign:version=1.3",
            f"X-Ops-Timestamp:{timestamp}",
            f"X-Ops-UserId:{USER}",
            f"X-Ops-Server-API-Version:{version}",
        )
    )
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", key],
        input=canonical.encode(),
        capture_output=True,
        check=True,
    ).stdout
    text = b64encode(signature).decode()
    lines = [text[begin : begin + _LINE] for begin in range(0, len(text), _LINE)]
    return {
        "X-Ops-Sign": "algorithm=sha256;version=1.3;",
        "X-Ops-UserId": USER,
        "X-Ops-Timestamp": timestamp,
        "X-Ops-Content-Hash": digest,
        "X-Ops-Server-API-Version": version,
        "X-Chef-Version": "18.0.0",
        **{f"X-Ops-Authorization-{n}": line for n, line in enumerate(lines, start=1)},
    }


def missing(wanted: Contents, found: Contents) -> list[str]:
    """Return what is in `wanted` and not in `found`, as `kind: names`."""
    lacking = {
        kind: [name for name in names if name not in found.get(kind, ())]
        for kind, names in wanted.items()
    }
    return [f"{kind}: {', '.join(names)}" for kind, names in lacking.items() if names]
