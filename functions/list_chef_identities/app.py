"""Lists the clients and nodes of a cluster at its Chef Server."""

from typing import Any

import boto3

from labswarm.aws.environment import AWS
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmClusters
from labswarm.chef.server import ChefServer, KmsSigner
from labswarm.reconcile.run_pass import own_identities

CLUSTERS = SsmClusters(boto3.client("ssm", config=AWS))
KMS = boto3.client("kms", config=AWS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster"}` -> `{"clients": [<instance id>, ...], "nodes": [...]}`, each in full."""
    cluster = CLUSTERS.read(str(event.get("cluster")))
    chef = cluster.chef
    server = ChefServer(
        chef.url, chef.organization, chef.admin, KmsSigner(KMS, chef.key_id), chef.ca_pem
    )
    return own_identities(cluster.name, server.list_clients(), server.list_nodes())
