"""The lab's own certificate authority: its Chef Server speaks TLS, as one on AWS does."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from labswarm_lab.chef.keys import private_pem

_VALID = timedelta(days=365)
# A node's clock may be a little behind the authority's.
_BEFORE = timedelta(hours=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate for a server, with its private key; both PEM."""

    pem: bytes
    key_pem: bytes


class Authority:
    """An authority whose key is never written down: nothing else can be issued later."""

    def __init__(self, name: str = "labswarm lab") -> None:
        self._key = _new_key()
        self._name = _named(name)
        public = self._key.public_key()
        self._certificate = (
            _dated(x509.CertificateBuilder())
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        """The authority's certificate, which its clients trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, address: str) -> Certificate:
        """A certificate for the server at this IP address."""
        key = _new_key()
        # Python 3.13 checks chains strictly (VERIFY_X509_STRICT), hence the key identifiers.
        certificate = (
            _dated(x509.CertificateBuilder())
            .subject_name(_named(address))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return Certificate(certificate.public_bytes(serialization.Encoding.PEM), private_pem(key))


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _dated(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _VALID)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
