"""The content of a request's signature, and its signer."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from moto import mock_aws

from labswarm.aws.signing import KmsSigner
from labswarm.chef.signing import canonical_request, content_hash, signed_headers
from labswarm.errors import Permanent, Transient

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

AT = datetime(2009, 1, 1, 12, 0, tzinfo=UTC)


class Recorder:
    """A signer that keeps what it signed; its signatures are 256 bytes, as RSA-2048's are."""

    def __init__(self) -> None:
        self.signed = b""

    def sign(self, message: bytes) -> bytes:
        self.signed = message
        return bytes(range(256))


def test_the_canonical_request_is_the_one_of_mixlib_authentications_own_specification() -> None:
    """The values of V1_3_ARGS_SHA256 in mixlib-authentication's specs."""
    body_hash = content_hash(b"Spec Body")

    assert body_hash == "hDlKNZhIhgso3Fs0S0pZwJ0xyBWtR1RBaeHs1DrzOho="
    assert canonical_request(
        "post", "/organizations/clownco", body_hash, "2009-01-01T12:00:00Z", "spec-user", "1"
    ).decode().split("\n") == [
        "Method:POST",
        "Path:/organizations/clownco",
        "X-Ops-Content-Hash:hDlKNZhIhgso3Fs0S0pZwJ0xyBWtR1RBaeHs1DrzOho=",
        "X-Ops-Sign:version=1.3",
        "X-Ops-Timestamp:2009-01-01T12:00:00Z",
        "X-Ops-UserId:spec-user",
        "X-Ops-Server-API-Version:1",
    ]


@pytest.mark.parametrize(
    ("path", "signed"),
    [("/", "/"), ("/nodes/", "/nodes"), ("//nodes///a", "/nodes/a"), ("/nodes/a", "/nodes/a")],
)
def test_a_path_is_signed_with_single_slashes_and_none_at_its_end(path: str, signed: str) -> None:
    lines = canonical_request("GET", path, "", "", "user", "0").decode().split("\n")

    assert lines[1] == f"Path:{signed}"


def test_the_headers_carry_the_signed_text_and_the_signature_in_lines_of_60() -> None:
    signer = Recorder()

    headers = signed_headers("POST", "/clients", b"{}", "labswarm", signer, AT)

    assert signer.signed == canonical_request(
        "POST",
        "/clients",
        headers["X-Ops-Content-Hash"],
        headers["X-Ops-Timestamp"],
        headers["X-Ops-Userid"],
        headers["X-Ops-Server-API-Version"],
    )
    assert headers["X-Ops-Timestamp"] == "2009-01-01T12:00:00Z"
    lines = [headers[f"X-Ops-Authorization-{number}"] for number in range(1, 7)]
    assert [len(line) for line in lines] == [60, 60, 60, 60, 60, 44]
    assert b64decode("".join(lines)) == bytes(range(256))
    assert "X-Ops-Authorization-7" not in headers


@pytest.fixture
def kms() -> Iterator["KMSClient"]:
    with mock_aws():
        yield boto3.client(
            "kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )


def signing_key(kms: "KMSClient") -> str:
    """The id of a new RSA key."""
    return kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]


@pytest.mark.parametrize("length", [1, 256, 4096])
def test_kms_signs_a_message_of_any_length_as_chef_verifies_it(
    kms: "KMSClient", length: int
) -> None:
    key_id = signing_key(kms)
    kms.create_alias(AliasName="alias/chef", TargetKeyId=key_id)

    signature = KmsSigner(kms, "alias/chef").sign(b"x" * length)

    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, b"x" * length, padding.PKCS1v15(), hashes.SHA256())


def test_the_longest_request_is_one_that_kms_takes() -> None:
    """KMS API reference, Sign: a RAW message has 4,096 bytes at most."""
    name = "n" * 255
    path = f"/organizations/{name}/clients/{name}"

    longest = canonical_request(
        "DELETE", path, content_hash(b""), "2009-01-01T12:00:00Z", name, "0"
    )

    assert len(longest) < 4096


def test_a_key_that_kms_does_not_have_is_permanent(kms: "KMSClient") -> None:
    with pytest.raises(Permanent, match="NotFoundException"):
        KmsSigner(kms, "alias/nobody").sign(b"message")


def test_a_kms_that_cannot_be_reached_is_transient() -> None:
    kms = boto3.client(
        "kms",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}),
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )

    with pytest.raises(Transient):
        KmsSigner(kms, "alias/chef").sign(b"message")
