"""KMS on the emulator signs as the app wants it to, and refuses as AWS's does."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.support.running_emulator import RunningEmulator

pytestmark = pytest.mark.emulator
ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"


@pytest.fixture(scope="module")
def kms(emulator: RunningEmulator) -> Any:
    return emulator.client("kms")


@pytest.fixture(scope="module")
def key(kms: Any) -> str:
    """A key as Terraform makes it for the Chef admin."""
    made = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")
    return str(made["KeyMetadata"]["Arn"])


@pytest.fixture
def other_key(kms: Any) -> Iterator[str]:
    """One more, to do to it what has to be undone."""
    made = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")
    yield str(made["KeyMetadata"]["Arn"])
    kms.schedule_key_deletion(KeyId=made["KeyMetadata"]["KeyId"], PendingWindowInDays=7)


def key_id(arn: str) -> str:
    """A key's id: the emulator's KMS takes no ARN where it changes a key's state."""
    return arn.rpartition("/")[2]


def sign(kms: Any, key: str, message: bytes = b"a request", **other: str) -> bytes:
    given = {"MessageType": "RAW", "SigningAlgorithm": ALGORITHM, **other}
    signature: bytes = kms.sign(KeyId=key, Message=message, **given)["Signature"]
    return signature


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.mark.aws(
    "KMS",
    "Sign",
    "RAW messages of up to 4,096 bytes are hashed and signed with RSASSA_PKCS1_V1_5_SHA_256; the key's public half, as DER, verifies it.",  # noqa: E501
    "https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html",
)
@pytest.mark.parametrize("size", [1, 4096])
def test_a_message_is_signed_so_that_the_public_key_verifies_it(
    kms: Any, key: str, size: int
) -> None:
    answered = kms.get_public_key(KeyId=key)

    public = serialization.load_der_public_key(answered["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    message = b"x" * size
    public.verify(sign(kms, key, message), message, padding.PKCS1v15(), hashes.SHA256())
    assert ALGORITHM in answered["SigningAlgorithms"]
    assert answered["KeyUsage"] == "SIGN_VERIFY"


@pytest.mark.aws(
    "KMS",
    "GetPublicKey",
    "KeyId in the answer is the key's ARN, also for an alias or a key id.",
    "https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html",
)
def test_a_key_is_known_by_its_id_its_arn_and_an_alias(kms: Any, key: str, name: str) -> None:
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)

    for known_as in (key, key_id(key), f"alias/{name}"):
        assert kms.get_public_key(KeyId=known_as)["KeyId"] == key
        assert sign(kms, known_as)


@pytest.mark.aws(
    "KMS",
    "Sign",
    "A RAW message of more than 4,096 bytes, or none, is a ValidationException.",
    "https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html",
)
@pytest.mark.parametrize("message", [b"", b"x" * 4097])
def test_a_message_too_long_to_be_hashed_by_kms_is_refused(
    kms: Any, key: str, message: bytes
) -> None:
    with pytest.raises(ClientError) as refused:
        sign(kms, key, message)

    code, why = refusal(refused)
    assert code == "ValidationException"
    assert "Member must have length" in why


@pytest.mark.absent("KMS", "Sign with MessageType DIGEST", "UnsupportedOperationException")
def test_a_digest_is_refused(kms: Any, key: str) -> None:
    with pytest.raises(ClientError) as refused:
        sign(kms, key, b"x" * 32, MessageType="DIGEST")

    assert refusal(refused)[0] == "UnsupportedOperationException"


@pytest.mark.aws(
    "KMS",
    "Sign, Verify, GetPublicKey",
    "With a disabled key each is a DisabledException; enabled again, the key is as it was.",
    "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",
)
def test_a_disabled_key_does_nothing_until_it_is_enabled(kms: Any, other_key: str) -> None:
    signature = sign(kms, other_key)
    kms.disable_key(KeyId=key_id(other_key))
    verified = {"Message": b"a request", "Signature": signature, "SigningAlgorithm": ALGORITHM}

    for call in (
        lambda: sign(kms, other_key),
        lambda: kms.verify(KeyId=other_key, **verified),
        lambda: kms.get_public_key(KeyId=other_key),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refusal(refused) == ("DisabledException", f"{other_key} is disabled.")

    kms.enable_key(KeyId=key_id(other_key))
    assert sign(kms, other_key) == signature


@pytest.mark.aws(
    "KMS",
    "Sign",
    "With a key that waits for its deletion it is a KMSInvalidStateException.",
    "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",
)
def test_a_key_that_waits_for_its_deletion_signs_nothing(kms: Any, other_key: str) -> None:
    kms.schedule_key_deletion(KeyId=key_id(other_key), PendingWindowInDays=7)

    with pytest.raises(ClientError) as refused:
        sign(kms, other_key)

    assert refusal(refused) == ("KMSInvalidStateException", f"{other_key} is pending deletion.")


@pytest.mark.aws(
    "KMS",
    "Sign, GetPublicKey",
    "A key or an alias that is not there is a NotFoundException.",
    "https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html",
)
@pytest.mark.parametrize("nobody", ["12345678-1234-1234-1234-123456789012", "alias/nobody"])
def test_a_key_that_is_not_there_is_named(kms: Any, nobody: str) -> None:
    for call in (lambda: sign(kms, nobody), lambda: kms.get_public_key(KeyId=nobody)):
        with pytest.raises(ClientError) as refused:
            call()
        code, why = refusal(refused)
        assert code == "NotFoundException"
        assert nobody in why


@pytest.mark.aws(
    "KMS",
    "Sign, Encrypt",
    "A key that is made for something else, or an algorithm for other keys, is an InvalidKeyUsageException.",  # noqa: E501
    "https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html",
)
def test_a_key_has_one_usage(kms: Any, key: str) -> None:
    symmetric = kms.create_key()["KeyMetadata"]["KeyId"]

    for call in (
        lambda: sign(kms, symmetric),
        lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: sign(kms, key, SigningAlgorithm="ECDSA_SHA_256"),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refusal(refused)[0] == "InvalidKeyUsageException"


@pytest.mark.aws(
    "KMS",
    "GetPublicKey",
    "Of a symmetric key it is an UnsupportedOperationException.",
    "https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html",
)
def test_a_symmetric_key_has_no_public_half(kms: Any) -> None:
    symmetric = kms.create_key()["KeyMetadata"]["KeyId"]

    with pytest.raises(ClientError) as refused:
        kms.get_public_key(KeyId=symmetric)

    assert refusal(refused)[0] == "UnsupportedOperationException"
