"""Registers a node's own public key at its cluster's Chef Server, as a client and no more."""

from typing import Any

import boto3

from labswarm.aws.environment import AWS
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmClusters
from labswarm.chef.server import ChefServer, KmsSigner
from labswarm.errors import BadInput
from labswarm.lifecycle.work import Work

CLUSTERS = SsmClusters(boto3.client("ssm", config=AWS))
KMS = boto3.client("kms", config=AWS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "public_key": <PEM>}` -> `{"client": <name>}`; again, it is the same."""
    work = Work.parse(event.get("work"))
    public_key = event.get("public_key")
    if not isinstance(public_key, str) or not public_key.startswith("-----BEGIN PUBLIC KEY-----"):
        raise BadInput("public_key", "has to be the PEM text that labswarm-node-identify answered")
    chef = CLUSTERS.read(work.cluster).chef
    server = ChefServer(
        chef.url, chef.organization, chef.admin, KmsSigner(KMS, chef.key_id), chef.ca_pem
    )
    server.create_client(work.node_name, public_key)
    return {"client": work.node_name}
