"""Deletes the clients and nodes of instances that are gone at their cluster's Chef Server."""

from typing import Any

import boto3

from labswarm.aws.environment import AWS
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmClusters
from labswarm.chef.server import ChefServer, KmsSigner
from labswarm.cluster import INSTANCE_ID, node_name
from labswarm.errors import BadInput

CLUSTERS = SsmClusters(boto3.client("ssm", config=AWS))
KMS = boto3.client("kms", config=AWS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "instances": [<id>, ...]}` -> `{"removed": [<name>, ...]}`.

    What is not there any more is success.
    """
    cluster = CLUSTERS.read(str(event.get("cluster")))
    instances = event.get("instances")
    if not isinstance(instances, list) or not all(map(INSTANCE_ID.fullmatch, instances)):
        raise BadInput("instances", f"is {instances!r}; it has to be a list of instance ids")
    chef = cluster.chef
    server = ChefServer(
        chef.url, chef.organization, chef.admin, KmsSigner(KMS, chef.key_id), chef.ca_pem
    )
    names = [node_name(cluster.name, instance_id) for instance_id in instances]
    for name in names:
        # The client first: that cuts off a chef-client that still runs and would make the node.
        server.delete_client(name)
        server.delete_node(name)
    logger.info("removed", extra={"cluster": cluster.name, "names": names})
    return {"removed": names}
