"""List the clusters of this account and region that need a pass of reconcile."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.errors import BadInput
from labswarm.reconcile.due import clusters_due

AWS = Wiring()
CLUSTERS = AWS.clusters()
PASSES = AWS.passes()
GROUPS = AWS.groups()
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"given": {"cluster": <name>|null, "dry_run"}}` -> `{"clusters": [...]}`: that one, or all.

    Of all, those at rest are left out, unless it is a dry run. `clusters` next to them are the
    clusters that begin_passes chose, and the answer.
    """
    # An execution from before a deploy sends its input itself.
    given = event.get("given", event)
    chosen = given.get("clusters")
    if chosen is not None:
        return {"clusters": chosen}
    names = CLUSTERS.names()
    wanted = given.get("cluster")
    if wanted is not None:
        if wanted not in names:
            raise BadInput("cluster", f"is {wanted!r}; it has to be one of {', '.join(names)}")
        return {"clusters": [wanted]}
    # An execution from before a deploy does not name its kind.
    if given.get("dry_run") is not False:
        return {"clusters": names}
    found, why = clusters_due(names, PASSES, GROUPS, CLOCK)
    for failure in why:
        logger.warning("not known whether at rest", extra={"why": failure})
    logger.info("listed", extra={"clusters": found, "at_rest": sorted({*names} - {*found})})
    return {"clusters": found}
