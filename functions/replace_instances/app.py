"""Has Auto Scaling groups terminate instances and launch others in their place."""

from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.cluster import INSTANCE_ID
from labswarm.errors import BadInput
from labswarm.lifecycle.capacity import replace_instance

GROUPS = Wiring().groups()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"instances": [<id>, ...]}` -> `{"replaced": [<id>, ...]}`.

    One that goes already, or is in no group any more, is left out.
    """
    instances = event.get("instances")
    if not isinstance(instances, list) or not all(map(INSTANCE_ID.fullmatch, instances)):
        raise BadInput("instances", f"is {instances!r}; it has to be a list of instance ids")
    replaced = [instance_id for instance_id in instances if replace_instance(GROUPS, instance_id)]
    logger.info("replaced", extra={"instances": replaced})
    return {"replaced": replaced}
