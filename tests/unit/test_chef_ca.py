"""Today's clients accept the lab's certificates."""

import ssl
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from labswarm_lab.chef.ca import Authority, Certificate


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("10.98.0.1")


def verify(authority: Authority, certificate: Certificate, address: str) -> None:
    """Check the chain as a client of the server at `address` does."""
    store = Store([x509.load_pem_x509_certificate(authority.pem.encode())])
    verifier = (
        PolicyBuilder().store(store).build_server_verifier(x509.IPAddress(ip_address(address)))
    )
    verifier.verify(x509.load_pem_x509_certificate(certificate.pem), [])


def test_a_certificate_holds_for_its_address(
    authority: Authority, certificate: Certificate
) -> None:
    verify(authority, certificate, "10.98.0.1")


def test_a_certificate_does_not_hold_for_another_address(
    authority: Authority, certificate: Certificate
) -> None:
    with pytest.raises(VerificationError):
        verify(authority, certificate, "10.98.0.2")


def test_another_lab_does_not_vouch_for_it(certificate: Certificate) -> None:
    with pytest.raises(VerificationError):
        verify(Authority(), certificate, "10.98.0.1")


def test_a_strict_openssl_accepts_it_as_python_3_13_wants(
    authority: Authority, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tls")
    (folder / "server.pem").write_bytes(certificate.pem + certificate.key_pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "server.pem")
    trusting = ssl.create_default_context(cadata=authority.pem)
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname="10.98.0.1")
    server = serving.wrap_bio(to_server, to_client, server_side=True)

    for side in (client, server, client, server):  # in turns, until both have finished
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue

    assert client.getpeercert()
