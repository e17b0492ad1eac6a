"""Signed requests of the Chef Server API: protocol 1.3, as mixlib-authentication defines it.

Source: Chef's documentation, "Chef Infra Server API", Authentication Headers
(https://docs.chef.io/server/api_chef_server/), and `canonicalize_request` in mixlib-authentication
(https://github.com/chef/mixlib-authentication).
"""

import hashlib
import re
from base64 import b64encode
from datetime import datetime
from typing import Protocol

SIGN = "algorithm=sha256;version=1.3;"
# Only in version 0 does GET /clients/NAME give the client's public key. The key shows whether an
# existing client is ours (assemble_client_ejson in chef-server's chef_client.erl).
API_VERSION = "0"
_LINE = 60  # characters of the signature a header carries


class Signer(Protocol):
    """Holds a private RSA key, or knows who does."""

    def sign(self, message: bytes) -> bytes:
        """The RSASSA-PKCS1-v1_5 signature of `message` with SHA-256."""
        ...


class Signers(Protocol):
    """The keys that the control plane signs with."""

    def of(self, key_id: str) -> Signer:
        """The signer with this key: a key id, an ARN or an `alias/...`."""


def content_hash(body: bytes) -> str:
    """The value of X-Ops-Content-Hash: the body's SHA-256 in Base64."""
    return b64encode(hashlib.sha256(body).digest()).decode()


def canonical_request(
    method: str, path: str, body_hash: str, timestamp: str, user: str, api_version: str
) -> bytes:
    """The text a signature of protocol 1.3 is over.

    `path` is the URL's path, organization included and query excluded. Version 1.3 signs it as it
    is (older ones hash it), with repeated slashes as one and none at the end.
    """
    path = re.sub("/+", "/", path)
    if len(path) > 1:
        path = path.removesuffix("/")
    return "\n".join(
        (
            f"Method:{method.upper()}",
            f"Path:{path}",
            f"X-Ops-Content-Hash:{body_hash}",
            "X-Ops-Sign:version=1.3",
            f"X-Ops-Timestamp:{timestamp}",
            f"X-Ops-UserId:{user}",
            f"X-Ops-Server-API-Version:{api_version}",
        )
    ).encode()


def signed_headers(
    method: str, path: str, body: bytes, user: str, signer: Signer, at: datetime
) -> dict[str, str]:
    """The headers that authenticate one request as `user`, made at `at` (UTC).

    A Chef Server refuses a time more than 15 minutes from its own.
    """
    body_hash = content_hash(body)
    timestamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    message = canonical_request(method, path, body_hash, timestamp, user, API_VERSION)
    signature = b64encode(signer.sign(message)).decode()
    headers = {
        "X-Ops-Sign": SIGN,
        "X-Ops-Userid": user,
        "X-Ops-Timestamp": timestamp,
        "X-Ops-Content-Hash": body_hash,
        "X-Ops-Server-API-Version": API_VERSION,
    }
    for number, start in enumerate(range(0, len(signature), _LINE), start=1):
        headers[f"X-Ops-Authorization-{number}"] = signature[start : start + _LINE]
    return headers
