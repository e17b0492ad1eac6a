"""Signing with a key that nobody can read, over KMS."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labswarm.aws.errors import named

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


@dataclass(frozen=True)
class KmsSigner:
    """Implements labswarm.chef.signing.Signer with a key in KMS.

    `key_id` is a key id, an ARN or an `alias/...` of an RSA key for SIGN_VERIFY.
    """

    kms: "KMSClient"
    key_id: str

    def sign(self, message: bytes) -> bytes:
        """Sign `message`.

        KMS hashes it (MessageType RAW), which it does for up to 4,096 bytes (KMS API reference,
        Sign): a canonical request has a few hundred, since names have 255 at most.

        Raises:
            Transient: KMS is not reached, is throttling, or failed by itself (5xx).
            Permanent: KMS refuses: no such key, not enabled, no permission.
        """
        with named():
            answer = self.kms.sign(
                KeyId=self.key_id,
                Message=message,
                MessageType="RAW",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            )
        return answer["Signature"]


@dataclass(frozen=True)
class KmsSigners:
    """Implements labswarm.chef.signing.Signers."""

    kms: "KMSClient"

    def of(self, key_id: str) -> KmsSigner:
        return KmsSigner(self.kms, key_id)
