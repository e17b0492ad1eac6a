"""Compares what each side of a cluster knows, and decides what of it is an orphan."""

from typing import Any

from aws_lambda_powertools import Metrics

from labswarm.aws.observability import count, logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.names import prefix
from labswarm.reconcile.run_pass import Comparing

AWS = Wiring()
COMPARING = Comparing(
    clusters=AWS.clusters(),
    groups=AWS.groups(),
    snapshots=AWS.snapshots(),
    agents=AWS.agent(),
    ledger=AWS.ledger(),
    passes=AWS.passes(),
    clock=WallClock(),
)
METRICS = Metrics(namespace=prefix(), service="reconcile")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "chef", "dry_run"}` -> the plan; `chef` is the answer of list_chef_identities.

    A dry run is no pass: it is not kept, and counts for no alarm. A pass that cannot be made
    raises what stopped it.
    """
    cluster, dry_run = str(event.get("cluster")), bool(event.get("dry_run"))
    plan = COMPARING.run_pass(cluster, event.get("chef"), dry_run=dry_run)
    answer = plan.to_json()
    logger.info("compared", extra={"plan": answer, "dry_run": dry_run})
    if not dry_run:
        counts = {
            "Orphans": len(plan.due) + len(plan.waiting) + len(plan.over_cap),
            "OverCap": len(plan.over_cap),
            "Named": len(plan.named),
        }
        count(METRICS, counts, cluster=cluster)
    return answer
