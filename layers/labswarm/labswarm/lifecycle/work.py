"""The work on one lifecycle action or spot notice, as it travels through a state machine.

An execution goes on with the work that it began with, also when functions of a newer deploy read
it: so work says its version, and the version before is understood.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from labswarm.cluster import Cluster, node_name
from labswarm.errors import BadInput
from labswarm.lifecycle.events import LifecycleEvent, Place, SpotNotice, Transition
from labswarm.lifecycle.hook_time import CLEANUP_S, total_s

VERSION = 2
# Which moves of an instance a launch's machine knows: EC2 Auto Scaling user guide,
# warm-pools-eventbridge-events.
_LAUNCHES = (("EC2", "AutoScalingGroup"), ("EC2", "WarmPool"), ("WarmPool", "AutoScalingGroup"))
Until = Literal["deadline", "forward_by", "empty_by", "evacuate_by"]
LOOK_S = 300
"""How long a Task waits for students until its own look, at most (seconds)."""
# From the warning to the end of the instance: EC2 user guide, spot-instance-termination-notices.
NOTICE_S = 120
# The part kept for cleaning up: a node counts as down about 15 s after it left, and commands take
# seconds.
NOTICE_CLEANUP_S = 40


@dataclass(frozen=True)
class Work:
    """The input of every state after the claim.

    `deadline` is when the time is over (epoch seconds): the hook's, or the instance's own; a spot
    notice knows no hook. After `forward_by` (epoch seconds) a launch begins nothing new, so that
    there is time to undo it. `empty_by` and `evacuate_by` say
    until when students are waited for, and moved; ISO 8601 in UTC, for a Choice to compare with
    the time it is entered. `images` are separated by commas, as the node's tool takes them.
    `refusal` says why an instance on such a way cannot become a node; empty for all that can.
    Looked at every `look_s` seconds, students are waited for until `empty_by` and hardly longer.
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
    forward_by: int
    refusal: str = ""
    look_s: int = LOOK_S
    version: int = VERSION

    @classmethod
    def begun(
        cls, event: LifecycleEvent, cluster: Cluster, owner: str, timeout_s: int, now: float
    ) -> "Work":
        """The work that an event asks for; `timeout_s` is its hook's heartbeat timeout."""
        total = total_s(event.transition, cluster, timeout_s)
        deadline = event.at + total
        evacuate_by = deadline - min(CLEANUP_S, total // 2)
        empty_by = min(now + cluster.empty_deadline_s, evacuate_by)
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
            empty_by=_iso(empty_by),
            evacuate_by=_iso(evacuate_by),
            forward_by=int(evacuate_by),
            refusal=_refusal(event),
            look_s=_look_s(empty_by - now),
        )

    @classmethod
    def warned(cls, notice: SpotNotice, asg: str, cluster: Cluster, owner: str) -> "Work":
        """The work that a spot notice to a worker of this group asks for; nobody is waited for."""
        evacuate_by = notice.at + NOTICE_S - NOTICE_CLEANUP_S
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
            evacuate_by=_iso(evacuate_by),
            forward_by=int(evacuate_by),
        )

    @classmethod
    def parse(cls, values: object) -> "Work":
        """Read what `to_json` wrote, of this version or the one before.

        Raises BadInput naming the field that is missing, or the version that is not understood.
        """
        try:
            known = _upgraded(_mapping(values))
            return cls(**{name: known[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise _missing(error) from error

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def left_s(self, until: Until, now: float) -> float:
        """How many seconds there are until one of the work's times; negative after it."""
        at: str | int = getattr(self, until)
        end = datetime.fromisoformat(at).timestamp() if isinstance(at, str) else at
        return end - now


def subject_of(values: object) -> tuple[str, Transition, str]:
    """Whose work it is: instance id, transition and owner, of work of any version.

    Raises BadInput naming the field that is missing.
    """
    try:
        known = _mapping(values)
        return known["instance_id"], known["transition"], known["owner"]
    except KeyError as error:
        raise _missing(error) from error


def _mapping(values: object) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise BadInput("work", "has to be the object that `claim` answered")
    return values


def _missing(error: KeyError) -> BadInput:
    return BadInput(f"work.{error.args[0]}", "is missing; pass on the answer of `claim`")


def _upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The work as this version writes it."""
    version = values.get("version", 1)
    if version == VERSION:
        # Before the wait for students was a Task, it knew no looks.
        return {"look_s": LOOK_S, **values}
    if version == 1:
        # It kept nothing back for the undoing.
        since = {"forward_by": values["deadline"], "refusal": "", "version": VERSION}
        return {**values, "look_s": LOOK_S, **since}
    raise BadInput(
        "work.version", f"is {version!r}; this deploy understands {VERSION - 1} and {VERSION}"
    )


def _refusal(event: LifecycleEvent) -> str:
    way = (event.origin, event.destination)
    if event.transition != "launch" or way in _LAUNCHES:
        return ""
    return f"a launch from {way[0]} to {way[1]} is none that AWS documents"


def _look_s(left_s: float) -> int:
    """The time until the next look (seconds); the last look is when no time is left."""
    looks = max(1, math.ceil(left_s / LOOK_S))
    return max(1, math.ceil(left_s / looks))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
