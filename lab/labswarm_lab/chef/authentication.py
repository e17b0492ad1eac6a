"""The signer of a request: protocol 1.3 of the Chef Server API.

https://docs.chef.io/server/api_chef_server/, Authentication Headers
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from labswarm.chef.signing import canonical_request, content_hash
from labswarm_lab.chef.objects import Actor, Objects, Refusal

_CLOCK_SKEW = timedelta(minutes=15)


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are lower-case, the path is without its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def signer(objects: Objects, request: Request, now: datetime) -> Actor:
    """The actor that signed the request; Refusal (401) when none did, or not now."""
    headers = request.headers
    name = headers.get("x-ops-userid", "")
    actor = objects.actor(name)
    if actor is None:
        raise Refusal(401, f"Failed to authenticate as '{name}'")
    if "version=1.3" not in headers.get("x-ops-sign", "").split(";"):
        raise Refusal(401, "this server takes signatures of version 1.3")
    timestamp = headers.get("x-ops-timestamp", "")
    if abs(now - _time(timestamp)) > _CLOCK_SKEW:
        raise Refusal(401, "Failed to authenticate: check this machine's clock")
    if headers.get("x-ops-content-hash") != content_hash(request.body):
        raise Refusal(401, "the content hash is not the body's")
    message = canonical_request(
        request.method,
        request.path,
        content_hash(request.body),
        timestamp,
        name,
        headers.get("x-ops-server-api-version", "0"),
    )
    try:
        public_key(actor.public_key).verify(
            _signature(headers), message, padding.PKCS1v15(), hashes.SHA256()
        )
    except InvalidSignature as error:
        raise Refusal(401, f"Invalid signature for user or client '{name}'") from error
    return actor


def public_key(pem: str) -> rsa.RSAPublicKey:
    """The RSA key in a PEM text; raises ValueError when it is none."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("no RSA key")  # noqa: TRY004  # the value is wrong, not its type
    return key


def _time(timestamp: str) -> datetime:
    try:
        return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refusal(401, "the time is not in the form 2009-01-01T12:00:00Z") from error


def _signature(headers: Mapping[str, str]) -> bytes:
    lines: list[str] = []
    while (line := headers.get(f"x-ops-authorization-{len(lines) + 1}")) is not None:
        lines.append(line)
    try:
        return b64decode("".join(lines), validate=True)
    except NotBase64 as error:
        raise Refusal(401, "the signature is no Base64") from error
