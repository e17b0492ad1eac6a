"""The Chef Server's certificate, as this machine sees it."""

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from labswarm.cluster import Chef
from labswarm.errors import Transient

CONNECT_S = 5.0


@dataclass(frozen=True)
class Certificate:
    """When it ends (epoch seconds), or why it is not trusted."""

    ends_at: float | None
    untrusted: str = ""


def certificate(chef: Chef) -> Certificate:
    """Return the Chef Server's certificate. Raises Transient where it is not reached from here."""
    at = urlsplit(chef.url)
    trusted = ssl.create_default_context(cadata=chef.ca_pem)
    host, port = at.hostname or "", at.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=CONNECT_S) as plain,
            trusted.wrap_socket(plain, server_hostname=host) as secure,
        ):
            ends = secure.getpeercert() or {}
            return Certificate(float(ssl.cert_time_to_seconds(str(ends["notAfter"]))))
    except ssl.SSLCertVerificationError as error:
        return Certificate(None, error.verify_message)
    except OSError as error:
        raise Transient(f"{chef.url} is not reached: {error}") from error
