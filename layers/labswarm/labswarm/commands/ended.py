"""SSM's event that the status of a command on an instance has changed, read strictly.

Shape: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ssm.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from labswarm.cluster import INSTANCE_ID
from labswarm.errors import BadInput

DETAIL_TYPE = "EC2 Command Invocation Status-change Notification"
_COMMAND_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class CommandChanged:
    """A command, and the instance on which its status has changed."""

    command_id: str
    instance_id: str

    @classmethod
    def parse(cls, event: object) -> "CommandChanged":
        """Raises BadInput naming the field that is missing or malformed."""
        given = event if isinstance(event, Mapping) else {}
        if (kind := given.get("detail-type")) != DETAIL_TYPE:
            raise BadInput("detail-type", f"is {kind!r}; it has to be {DETAIL_TYPE!r}")
        detail = given.get("detail")
        if not isinstance(detail, Mapping):
            raise BadInput("detail", "has to be a JSON object")
        command_id, instance_id = detail.get("command-id"), detail.get("instance-id")
        if not isinstance(command_id, str) or not _COMMAND_ID.fullmatch(command_id):
            raise BadInput("detail.command-id", f"is {command_id!r}; it has to be a command's id")
        if not isinstance(instance_id, str) or not INSTANCE_ID.fullmatch(instance_id):
            raise BadInput(
                "detail.instance-id", f"is {instance_id!r}; it has to be like {INSTANCE_ID.pattern}"
            )
        return cls(command_id, instance_id)
