"""Names the clusters of this account and region."""

from typing import Any

import boto3

from labswarm.environment import AWS
from labswarm.errors import BadInput
from labswarm.observability import logger
from labswarm.ssm import SsmClusters

CLUSTERS = SsmClusters(boto3.client("ssm", config=AWS))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster": <name>|null}` -> `{"clusters": [<name>, ...]}`: that one, or all of them."""
    names = CLUSTERS.names()
    wanted = event.get("cluster")
    if wanted is None:
        return {"clusters": names}
    if wanted not in names:
        raise BadInput("cluster", f"is {wanted!r}; it has to be one of {', '.join(names)}")
    return {"clusters": [wanted]}
