"""A node's own Chef key pair, made on the node: only its public half ever leaves it."""

import os
import tempfile
from pathlib import Path

from labswarm_node.config import ChefConfig

_KEY_BITS = 2048


def public_key(chef: ChefConfig) -> str:
    """The public half (PEM) of the node's Chef key; both key and client.rb are made if absent."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    chef.key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not chef.key_file.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            # The form that Chef's own tools write and read.
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        write_private(chef.key_file, pem)
    write_private(chef.client_rb, client_rb(chef).encode())
    key = serialization.load_pem_private_key(chef.key_file.read_bytes(), password=None)
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def client_rb(chef: ChefConfig) -> str:
    """Return chef-client's configuration: https://docs.chef.io/config_rb_client/.

    chef-client logs to the file and, since no command line says otherwise, to standard output too.
    It would also report each run to the server's data collector, which no labswarm server has. With
    the server away these reports are tried again for 53 s, after the run has already failed.
    """
    settings = {
        "chef_server_url": chef.base_url,
        "node_name": chef.node_name,
        "client_key": str(chef.key_file),
        "log_location": str(chef.log_file),
    }
    if chef.policy_name and chef.policy_group:
        settings |= {"policy_name": chef.policy_name, "policy_group": chef.policy_group}
    if chef.ca_file is not None:
        settings["ssl_ca_file"] = str(chef.ca_file)
    lines = [f'{name} "{value}"' for name, value in settings.items()]
    # This node has no solo run, so it reports none.
    lines.append("data_collector.mode :solo")
    return "\n".join([*lines, "ssl_verify_mode :verify_peer", 'chef_license "accept-silent"', ""])


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
