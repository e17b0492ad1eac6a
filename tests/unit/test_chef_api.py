"""The lab's Chef Server API, request by request, at a time of the test's own."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from labswarm.chef.signing import signed_headers
from labswarm_lab.chef.acl import acl_of_new
from labswarm_lab.chef.api import Api
from labswarm_lab.chef.authentication import Request
from labswarm_lab.chef.keys import KeySigner
from labswarm_lab.chef.objects import Actor, Objects

NODES = "/organizations/labs/nodes"
NOW = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def signer() -> KeySigner:
    return KeySigner.generate()


@pytest.fixture
def api(signer: KeySigner) -> Api:
    users = {"labswarm": Actor("labswarm", signer.public_pem, admin=True)}
    return Api(Objects(users=users), "labs")


def signed(
    signer: KeySigner, at: datetime = NOW, changed: Mapping[str, str] = MappingProxyType({})
) -> Request:
    """A listing of nodes as the admin, with some headers changed after it was signed."""
    headers = signed_headers("GET", NODES, b"", "labswarm", signer, at)
    lower = {name.lower(): value for name, value in headers.items()}
    return Request("GET", NODES, {**lower, **changed}, b"")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_request_of_another_time_is_refused(api: Api, signer: KeySigner, minutes: int) -> None:
    """15 minutes either way: https://docs.chef.io/server/api_chef_server/ (X-Ops-Timestamp)."""
    assert api.answer(signed(signer, NOW + timedelta(minutes=minutes)), NOW)[0] == 401
    assert api.answer(signed(signer, NOW + timedelta(minutes=minutes / 2)), NOW)[0] == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"x-ops-userid": "nobody"},
        {"x-ops-sign": "algorithm=sha1;version=1.0;"},
        {"x-ops-timestamp": "2026-03-03T14:00:01Z"},
        {"x-ops-timestamp": "yesterday"},
        {"x-ops-content-hash": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="},
        {"x-ops-authorization-1": "no Base64"},
        {"x-ops-authorization-2": "A" * 60},
        {"x-ops-server-api-version": "1"},
    ],
)
def test_a_request_changed_after_signing_is_refused(
    api: Api, signer: KeySigner, changed: dict[str, str]
) -> None:
    assert api.answer(signed(signer, changed=changed), NOW)[0] == 401


def test_a_signature_of_one_request_is_none_of_another(api: Api, signer: KeySigner) -> None:
    request = signed(signer)

    assert api.answer(Request("DELETE", NODES, request.headers, b""), NOW)[0] == 401
    assert (
        api.answer(Request("GET", "/organizations/labs/clients", request.headers, b""), NOW)[0]
        == 401
    )
    assert api.answer(Request("GET", NODES, request.headers, b"{}"), NOW)[0] == 401


def test_objects_are_read_as_they_were_written(signer: KeySigner) -> None:
    objects = Objects(clients={"a": Actor("a", signer.public_pem, admin=False)})

    assert Objects.parse(objects.to_json()) == objects


def test_only_version_0_of_the_api_returns_a_clients_key(
    api: Api, signer: KeySigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.chef.io/server/api_chef_server/: keys are an endpoint of their own since 1."""
    api.objects.clients["a"] = Actor("a", signer.public_pem, client=True)
    api.objects.client_acls["a"] = acl_of_new("clients")

    def answer(version: str) -> tuple[int, bool]:
        monkeypatch.setattr("labswarm.chef.signing.API_VERSION", version)
        path = "/organizations/labs/clients/a"
        headers = signed_headers("GET", path, b"", "labswarm", signer, NOW)
        lower = {name.lower(): value for name, value in headers.items()}
        status, body = api.answer(Request("GET", path, lower, b""), NOW)
        return status, "public_key" in body

    assert [answer(version) for version in ("0", "1", "9")] == [
        (200, True), (200, False), (406, False)
    ]  # fmt: skip
