"""Names the clusters of this account and region of which a pass is to be made."""

from dataclasses import dataclass
from typing import Any

import boto3

from labswarm.aws.dynamodb.passes import DynamoPasses
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmClusters
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.groups import AutoScalingGroups
from labswarm.reconcile.due import awake


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    passes_table: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(passes_table=required("PASSES_TABLE"))


ENVIRONMENT = Environment.from_env()
CLUSTERS = SsmClusters(boto3.client("ssm", config=AWS))
PASSES = DynamoPasses(boto3.client("dynamodb", config=AWS), ENVIRONMENT.passes_table)
GROUPS = AutoScalingGroups(boto3.client("autoscaling", config=AWS))
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster": <name>|null, "dry_run"}` -> `{"clusters": [<name>, ...]}`: that one, or all.

    Of all, those at rest are left out, unless it is a dry run. `clusters` beside them are what
    begin_passes has decided on, and the answer.
    """
    chosen = event.get("clusters")
    if chosen is not None:
        return {"clusters": chosen}
    names = CLUSTERS.names()
    wanted = event.get("cluster")
    if wanted is not None:
        if wanted not in names:
            raise BadInput("cluster", f"is {wanted!r}; it has to be one of {', '.join(names)}")
        return {"clusters": [wanted]}
    # An execution that began before a deploy does not say what it is.
    if event.get("dry_run") is not False:
        return {"clusters": names}
    found, why = awake(names, PASSES, GROUPS, CLOCK)
    for failure in why:
        logger.warning("not known whether at rest", extra={"why": failure})
    logger.info("listed", extra={"clusters": found, "at_rest": sorted({*names} - {*found})})
    return {"clusters": found}
