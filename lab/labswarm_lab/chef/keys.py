"""RSA keys held in files: the lab's stand-in for a key in KMS, and a node's own key."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from labswarm.errors import BadInput


@dataclass(frozen=True)
class KeySigner:
    """Signs Chef requests with a private RSA key in memory (a `labswarm.chef.server.Signer`)."""

    key: rsa.RSAPrivateKey

    @classmethod
    def generate(cls) -> "KeySigner":
        """A new key of 2,048 bits, as Chef makes it."""
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def read(cls, path: Path) -> "KeySigner":
        """The key in a PEM file; raises BadInput when there is none."""
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise BadInput(str(path), "it is no readable private key in PEM") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise BadInput(str(path), "it is no RSA key, which is all that Chef signs with")
        return cls(key)

    def write(self, path: Path) -> None:
        """Write the private key, in PEM, for its owner only."""
        write_private(path, private_pem(self.key))

    def sign(self, message: bytes) -> bytes:
        """The RSASSA-PKCS1-v1_5 signature of `message` with SHA-256."""
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    @property
    def public_pem(self) -> str:
        """The public half, as Chef takes it."""
        return (
            self.key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """A private key in PEM, in the form that OpenSSL, Go and Ruby all read."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def write_private(path: Path, content: bytes) -> None:
    """Write a file (0600) as a whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)
