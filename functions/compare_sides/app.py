"""Compares what each side of a cluster knows, and decides what of it is an orphan."""

from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools import Metrics

from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.dynamodb.passes import DynamoPasses
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import count, logger
from labswarm.aws.ssm import SsmAgent, SsmClusters
from labswarm.clock import WallClock
from labswarm.groups import AutoScalingGroups
from labswarm.reconcile.run_pass import Comparing


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    ledger_table: str
    snapshots_table: str
    passes_table: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(
            ledger_table=required("LEDGER_TABLE"),
            snapshots_table=required("SNAPSHOTS_TABLE"),
            passes_table=required("PASSES_TABLE"),
        )


ENVIRONMENT = Environment.from_env()
SSM = boto3.client("ssm", config=AWS)
DYNAMODB = boto3.client("dynamodb", config=AWS)
COMPARING = Comparing(
    clusters=SsmClusters(SSM),
    groups=AutoScalingGroups(boto3.client("autoscaling", config=AWS)),
    snapshots=DynamoSnapshots(DYNAMODB, ENVIRONMENT.snapshots_table),
    agents=SsmAgent(SSM),
    ledger=DynamoLedger(DYNAMODB, ENVIRONMENT.ledger_table),
    passes=DynamoPasses(DYNAMODB, ENVIRONMENT.passes_table),
    clock=WallClock(),
)
METRICS = Metrics(namespace="labswarm", service="reconcile")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "chef", "dry_run"}` -> the plan; `chef` is what list_chef_identities answered.

    A dry run is no pass: it is not kept, and counts for no alarm. A pass that cannot be made
    raises what stopped it.
    """
    cluster, dry_run = str(event.get("cluster")), bool(event.get("dry_run"))
    plan = COMPARING.compare(cluster, event.get("chef"), dry_run=dry_run)
    told = plan.to_json()
    logger.info("compared", extra={"plan": told, "dry_run": dry_run})
    if not dry_run:
        counts = {
            "Orphans": len(plan.due) + len(plan.waiting) + len(plan.over_cap),
            "OverCap": len(plan.over_cap),
            "Named": len(plan.named),
        }
        count(METRICS, counts, cluster=cluster)
    return told
