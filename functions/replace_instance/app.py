"""Has the Auto Scaling group terminate an instance and launch another in its place."""

from typing import Any

import boto3

from labswarm.environment import AWS
from labswarm.groups import AutoScalingGroups, replace_instance
from labswarm.observability import logger
from labswarm.work import Work

GROUPS = AutoScalingGroups(boto3.client("autoscaling", config=AWS))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work"}` -> `{"replaced": <whether it was left to do>}`; again, it is the same."""
    work = Work.parse(event.get("work"))
    replaced = replace_instance(GROUPS, work.instance_id)
    logger.info("replacing", extra={"instance": work.instance_id, "begun": replaced})
    return {"replaced": replaced}
