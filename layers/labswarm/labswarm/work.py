"""The work on one lifecycle action or spot notice, as it travels through a state machine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from labswarm.cluster import Cluster, node_name
from labswarm.errors import BadInput
from labswarm.events import LifecycleEvent, Place, SpotNotice, Transition

# What is kept of the hook's time for draining, leaving and removing.
CLEANUP_S = 120
# From the warning to the end of the instance: EC2 user guide, spot-instance-termination-notices.
NOTICE_S = 120
# What is kept of it: a node that left is seen as down after some 15 s, and commands take seconds.
NOTICE_CLEANUP_S = 40


@dataclass(frozen=True)
class Work:
    """What every state after the claim knows.

    `deadline` is when the time is over (epoch seconds): the hook's, or the instance's own; a spot
    notice knows no hook. `empty_by` and `evacuate_by` say
    until when students are waited for, and moved; ISO 8601 in UTC, for a Choice to compare with
    the time it is entered. `images` are separated by commas, as the node's tool takes them.
    """

    cluster: str
    asg: str
    instance_id: str
    transition: Transition
    destination: Place
    hook: str
    owner: str
    node_name: str
    images: str
    deadline: int
    empty_by: str
    evacuate_by: str

    @classmethod
    def begun(
        cls, event: LifecycleEvent, cluster: Cluster, owner: str, heartbeat_s: int, now: float
    ) -> "Work":
        """The work that an event asks for; `heartbeat_s` is the hook's time."""
        deadline = event.at + heartbeat_s
        evacuate_by = deadline - CLEANUP_S
        return cls(
            cluster=event.cluster,
            asg=event.asg,
            instance_id=event.instance_id,
            transition=event.transition,
            destination=event.destination,
            hook=event.hook,
            owner=owner,
            node_name=node_name(event.cluster, event.instance_id),
            images=",".join(cluster.images),
            deadline=int(deadline),
            empty_by=_iso(min(now + cluster.empty_deadline_s, evacuate_by)),
            evacuate_by=_iso(evacuate_by),
        )

    @classmethod
    def warned(cls, notice: SpotNotice, asg: str, cluster: Cluster, owner: str) -> "Work":
        """The work that a spot notice to a worker of this group asks for; nobody is waited for."""
        evacuate_by = _iso(notice.at + NOTICE_S - NOTICE_CLEANUP_S)
        return cls(
            cluster=cluster.name,
            asg=asg,
            instance_id=notice.instance_id,
            transition=notice.transition,
            destination="EC2" if notice.kind == "interruption" else "AutoScalingGroup",
            hook="",
            owner=owner,
            node_name=node_name(cluster.name, notice.instance_id),
            images=",".join(cluster.images),
            deadline=int(notice.at + NOTICE_S),
            empty_by=_iso(notice.at),
            evacuate_by=evacuate_by,
        )

    @classmethod
    def parse(cls, values: object) -> "Work":
        """Read what `to_json` wrote. Raises BadInput naming the field that is missing."""
        if not isinstance(values, Mapping):
            raise BadInput("work", "has to be the object that `claim` answered")
        try:
            return cls(**{name: values[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise BadInput(
                f"work.{error.args[0]}", "is missing; pass on what `claim` answered"
            ) from error

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
