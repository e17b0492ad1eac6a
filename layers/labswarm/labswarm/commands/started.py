"""A worker's own event that its SSM agent has started, read strictly.

The worker puts it with its instance's role (node/labswarm_node/start_report.py), and any worker can
name any instance in it: so it is a reason to look, and proves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labswarm.cluster import INSTANCE_ID
from labswarm.errors import BadInput

DETAIL_TYPE = "AgentStarted"


def source(prefix: str) -> str:
    """The source of the event in an app of this prefix, to which the worker's role is held."""
    return f"{prefix}.node"


@dataclass(frozen=True)
class AgentStarted:
    """The instance whose agent has started."""

    instance_id: str

    def detail(self) -> dict[str, str]:
        """The event's detail."""
        return {"instance_id": self.instance_id}

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "AgentStarted":
        """Raises BadInput naming the field that is missing or malformed."""
        detail = event.get("detail")
        if not isinstance(detail, Mapping):
            raise BadInput("detail", "has to be a JSON object")
        instance_id = detail.get("instance_id")
        if not isinstance(instance_id, str) or not INSTANCE_ID.fullmatch(instance_id):
            raise BadInput(
                "detail.instance_id", f"is {instance_id!r}; it has to be like {INSTANCE_ID.pattern}"
            )
        return cls(instance_id)
