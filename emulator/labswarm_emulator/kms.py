"""KMS for signing: refusals of AWS that moto lacks.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
"""

import json
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import Key
from moto.kms.responses import KmsResponse

# The most of a message that Sign hashes itself.
_MOST_BYTES = 4096
_STATES = {
    "Disabled": ("DisabledException", "is disabled"),
    "PendingDeletion": ("KMSInvalidStateException", "is pending deletion"),
}


def install() -> None:
    """Refuse keys by state and usage, long messages, and digests, which moto would sign wrongly."""
    sign, get_public_key = KmsResponse.sign, KmsResponse.get_public_key

    def signed(asked: KmsResponse) -> str:
        key = _key(asked)
        _usable(key)
        _used_for(key, "SIGN_VERIFY", "Sign")
        if asked._get_param("MessageType") == "DIGEST":
            raise JsonRESTError(
                "UnsupportedOperationException", "The emulator signs messages, not digests."
            )
        message = asked._get_param("Message")
        if len(message.encode() if isinstance(message, str) else message) > _MOST_BYTES:
            raise JsonRESTError(
                "ValidationException",
                "1 validation error detected: Value at 'message' failed to satisfy constraint: "
                f"Member must have length less than or equal to {_MOST_BYTES}",
            )
        algorithm = asked._get_param("SigningAlgorithm")
        if algorithm.startswith("ECDSA_") and key.key_spec.startswith("RSA_"):
            said = f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
            raise JsonRESTError("InvalidKeyUsageException", said)
        answer: str = sign(asked)
        return answer

    def answered(asked: KmsResponse) -> str:
        key = _key(asked)
        _usable(key)
        if key.key_spec == "SYMMETRIC_DEFAULT":
            said = f"{key.arn} KeySpec is SYMMETRIC_DEFAULT which is not valid for GetPublicKey."
            raise JsonRESTError("UnsupportedOperationException", said)
        return json.dumps({**json.loads(get_public_key(asked)), "KeyId": key.arn})

    KmsResponse.sign = signed
    KmsResponse.get_public_key = answered
    KmsResponse.verify = _with(KmsResponse.verify, "SIGN_VERIFY", "Verify")
    KmsResponse.encrypt = _with(KmsResponse.encrypt, "ENCRYPT_DECRYPT", "Encrypt")


def _with(
    call: Callable[[KmsResponse], str], usage: str, name: str
) -> Callable[[KmsResponse], str]:
    def checked(asked: KmsResponse) -> str:
        key = _key(asked)
        _usable(key)
        _used_for(key, usage, name)
        return call(asked)

    return checked


def _key(asked: KmsResponse) -> Key:
    """The key that a request names, whichever way. Raises moto's NotFoundException."""
    key_id: Any = asked._get_param("KeyId")
    asked._validate_key_id(key_id)
    return asked.kms_backend.describe_key(key_id)


def _usable(key: Key) -> None:
    if key.key_state in _STATES:
        code, why = _STATES[key.key_state]
        raise JsonRESTError(code, f"{key.arn} {why}.")


def _used_for(key: Key, usage: str, operation: str) -> None:
    own = key.key_usage or "ENCRYPT_DECRYPT"  # moto keeps none for a key made without
    if own != usage:
        said = f"{key.arn} key usage is {own} which is not valid for {operation}."
        raise JsonRESTError("InvalidKeyUsageException", said)
