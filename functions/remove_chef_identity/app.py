"""Deletes a node's client and then its node object at its cluster's Chef Server."""

from typing import Any

import boto3

from labswarm.aws.environment import AWS
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmClusters
from labswarm.chef.server import ChefServer, KmsSigner
from labswarm.lifecycle.work import Work

CLUSTERS = SsmClusters(boto3.client("ssm", config=AWS))
KMS = boto3.client("kms", config=AWS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work"}` -> `{"removed": <name>}`; what is not there any more is success."""
    work = Work.parse(event.get("work"))
    chef = CLUSTERS.read(work.cluster).chef
    server = ChefServer(
        chef.url, chef.organization, chef.admin, KmsSigner(KMS, chef.key_id), chef.ca_pem
    )
    # The client first: that cuts off a chef-client that still runs and would make the node again.
    server.delete_client(work.node_name)
    server.delete_node(work.node_name)
    return {"removed": work.node_name}
