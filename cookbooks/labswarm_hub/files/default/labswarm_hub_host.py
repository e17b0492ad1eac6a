#!/opt/labswarm/bin/python
"""`labswarm-hub`: the hub's calls to AWS, made by its host. Secrets stay in its memory.

description                how big the seats of the hub's clusters are, on standard output
join-secret [--rotate]     has the workers' join token in Secrets Manager; with --rotate a new one
certificate SECRET FOLDER  the certificate and its key, from Secrets Manager into a folder of /run
certificate-days DOMAIN    how long the certificate is valid that browsers get, to CloudWatch

Logs nothing that it reads. Exit code 0: done; 1: not, and standard error says why.
"""

import argparse
import json
import os
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.environment import AWS
from labswarm.aws.errors import code_of, named
from labswarm.cluster import Cluster
from labswarm.errors import LabswarmError, Permanent
from labswarm_node.config import NodeConfig
from labswarm_node.engine_api import EngineApi

_PORT = 2377
_CERTIFICATE = {"certificate": "certificate.pem", "key": "key.pem"}

Clients = Callable[[str], Any]


def description(config: NodeConfig, clients: Clients) -> dict[str, Any]:
    """The seat and overhead of the hub's own cluster, and of its further groups by name.

    A bad description of a group leaves out that group. Raises BadInput when the hub's
    own is not there yet, or wrong.
    """
    clusters, wrong = SsmClusters(clients("ssm"), with_document=False).of_hub(
        config.cluster, config.instance_id
    )
    for error in wrong:
        print(f"labswarm-hub: left out: {error}", file=sys.stderr)
    own, *further = clusters
    groups = {
        cluster.name.removeprefix(f"{own.name}-"): {**_room(cluster), "image": cluster.images[0]}
        for cluster in further
    }
    return {**_room(own), "groups": groups}


def join_secret(config: NodeConfig, engine: EngineApi, clients: Clients, rotate: bool) -> bool:
    """Have the current token in the secret; whether it was another one before.

    Nodes that have joined stay: a token is looked at once. One that reads the old token just now is
    refused, and its launch tries again with the new one.
    """
    if rotate:
        swarm = engine.call("GET", "/swarm")
        version = str(swarm["Version"]["Index"])
        query = {"version": version, "rotateWorkerToken": "true"}
        engine.call("POST", "/swarm/update", query=query, body=swarm["Spec"])
    token = engine.call("GET", "/swarm")["JoinTokens"]["Worker"]
    wanted = {"token": token, "manager": f"{config.advertise_address}:{_PORT}"}
    secrets = clients("secretsmanager")
    if _current(secrets, config.join_secret) == wanted:
        return False
    with named():
        secrets.put_secret_value(SecretId=config.join_secret, SecretString=json.dumps(wanted))
    return True


def certificate(secret: str, folder: Path, clients: Clients) -> None:
    """Write certificate.pem and key.pem of a secret {certificate, key}. Raises Permanent."""
    with named():
        text = clients("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    try:
        values = json.loads(text)
        files = {file: str(values[name]) for name, file in _CERTIFICATE.items()}
    except (ValueError, KeyError, TypeError):
        # Without the cause: it quotes what it could not read.
        raise Permanent(f'{secret} has to be {{"certificate": PEM, "key": PEM}}') from None
    for file, pem in files.items():
        part = folder / f"{file}.part"
        with open(part, "w", opener=_private) as out:  # Path.open takes no opener
            out.write(pem)
        part.replace(folder / file)


def days_left(domain: str, port: int = 443) -> float:
    """How many days the certificate that this machine shows for `domain` is still valid.

    Raises OSError when the web server does not answer with one.
    """
    # One that has run out, or is of a department's own authority, has days as well.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=domain) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    if shown is None:
        raise OSError(f"the web server shows no certificate for {domain}")
    ends = x509.load_der_x509_certificate(shown).not_valid_after_utc
    return (ends - datetime.now(UTC)).total_seconds() / 86_400


def report_days(config: NodeConfig, days: float, clients: Clients) -> None:
    """Write the metric that the alarm on the certificate reads."""
    metric = {
        "MetricName": "certificate_days_left",
        "Dimensions": [{"Name": "InstanceId", "Value": config.instance_id}],
        "Value": days,
    }
    with named():
        clients("cloudwatch").put_metric_data(Namespace="CWAgent", MetricData=[metric])


def main(arguments: Sequence[str]) -> int:
    """Entry point."""
    options = _parser().parse_args(arguments)
    try:
        config = NodeConfig.read()
        clients = _clients(config)
        match options.command:
            case "description":
                print(json.dumps(description(config, clients)))
            case "join-secret":
                changed = join_secret(
                    config, EngineApi(config.docker_host), clients, options.rotate
                )
                print(f"{config.join_secret} {'has a new token' if changed else 'is as it was'}")
            case "certificate-days":
                report_days(config, days_left(options.domain), clients)
            case _:
                certificate(options.secret, options.folder, clients)
    except (LabswarmError, OSError) as error:
        print(f"labswarm-hub: {error}", file=sys.stderr)
        return 1
    return 0


def _room(cluster: Cluster) -> dict[str, Any]:
    return {"seat": asdict(cluster.seat), "overhead": asdict(cluster.overhead)}


def _current(secrets: Any, name: str) -> object:
    """The secret's value; None if it is still empty, or has something else."""
    try:
        with named():
            return json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    except ValueError:
        return None
    except LabswarmError as error:
        # So it is called too when the secret is there without a value.
        if code_of(error) == "ResourceNotFoundException":
            return None
        raise


def _private(path: str, flags: int) -> int:
    """Readable by the group, which is the web server's."""
    return os.open(path, flags, 0o640)


def _clients(config: NodeConfig) -> Clients:
    import botocore.session

    session = botocore.session.get_session()
    return lambda service: session.create_client(
        service, region_name=config.region, endpoint_url=config.aws_endpoint_url, config=AWS
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labswarm-hub", description="Carry data between the hub's host and AWS."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("description", help="print the sizes of seats")
    join = commands.add_parser("join-secret", help="write the join token to Secrets Manager")
    join.add_argument("--rotate", action="store_true", help="make a new one first")
    certified = commands.add_parser("certificate", help="fetch the hub's certificate")
    certified.add_argument("secret", help="read the secret of this name or ARN")
    certified.add_argument("folder", type=Path, help="write to this folder, which is not on a disk")
    days = commands.add_parser("certificate-days", help="report how long it is valid")
    days.add_argument("domain", help="check the hub of this name")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
