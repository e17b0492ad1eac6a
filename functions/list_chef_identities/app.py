"""Lists the clients and nodes of a cluster at its Chef Server."""

from typing import Any

import boto3

from labswarm.chef import ChefServer, KmsSigner
from labswarm.comparing import own_identities
from labswarm.environment import AWS
from labswarm.observability import logger
from labswarm.ssm import SsmClusters

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
