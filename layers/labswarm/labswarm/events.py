"""The events of Auto Scaling that the app accepts, read strictly.

Shape: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html;
with warm pools: .../warm-pools-eventbridge-events.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from labswarm.cluster import INSTANCE_ID, cluster_of
from labswarm.errors import BadInput

Transition = Literal["launch", "terminate"]
Place = Literal["EC2", "WarmPool", "AutoScalingGroup"]

_TRANSITIONS: Mapping[str, tuple[str, Transition]] = {
    "EC2 Instance-launch Lifecycle Action": ("autoscaling:EC2_INSTANCE_LAUNCHING", "launch"),
    "EC2 Instance-terminate Lifecycle Action": (
        "autoscaling:EC2_INSTANCE_TERMINATING",
        "terminate",
    ),
}
_PLACES: Mapping[str, Place] = {
    "EC2": "EC2",
    "WarmPool": "WarmPool",
    "AutoScalingGroup": "AutoScalingGroup",
}
# CompleteLifecycleAction takes no other: Auto Scaling API reference.
_TOKEN_LENGTH = 36
TEST_NOTIFICATION = "autoscaling:TEST_NOTIFICATION"


@dataclass(frozen=True)
class LifecycleEvent:
    """A worker of ours waits in a hook; `at` is when it began to (epoch seconds)."""

    cluster: str
    asg: str
    instance_id: str
    transition: Transition
    hook: str
    token: str
    origin: Place
    destination: Place
    at: float

    @property
    def ends_the_instance(self) -> bool:
        """Whether the instance is gone afterwards; one that goes to the warm pool comes back."""
        return self.transition == "terminate" and self.destination != "WarmPool"


@dataclass(frozen=True)
class Skip:
    """An event that is well-formed and asks nothing of us."""

    reason: str


def parse(event: object) -> LifecycleEvent | Skip:
    """Read an EventBridge event. Raises BadInput naming the first field that is wrong."""
    if not isinstance(event, Mapping):
        raise BadInput("event", "has to be a JSON object")
    detail = event.get("detail")
    if TEST_NOTIFICATION in (
        event.get("Event"),
        isinstance(detail, Mapping) and detail.get("Event"),
    ):
        return Skip("a test notification")
    if event.get("source") != "aws.autoscaling":
        raise BadInput("source", f"is {event.get('source')!r}; only aws.autoscaling is accepted")
    kind = _text(event, "detail-type")
    if kind not in _TRANSITIONS:
        raise BadInput("detail-type", f"is {kind!r}; only {', '.join(_TRANSITIONS)} are accepted")
    if not isinstance(detail, Mapping):
        raise BadInput("detail", "has to be a JSON object")
    asg = _text(detail, "AutoScalingGroupName", "detail.")
    cluster = cluster_of(asg)
    if cluster is None:
        return Skip(f"the group {asg} is not ours")
    name, transition = _TRANSITIONS[kind]
    if detail.get("LifecycleTransition") != name:
        raise BadInput(
            "detail.LifecycleTransition",
            f"is {detail.get('LifecycleTransition')!r}; with this detail-type it is {name}",
        )
    return LifecycleEvent(
        cluster=cluster,
        asg=asg,
        instance_id=_instance_id(detail),
        transition=transition,
        hook=_text(detail, "LifecycleHookName", "detail."),
        token=_token(detail),
        origin=_place(detail, "Origin"),
        destination=_place(detail, "Destination"),
        at=_time(event),
    )


def _text(values: Mapping[str, object], name: str, path: str = "") -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(path + name, f"is {value!r}; it has to be a text that is not empty")
    return value


def _instance_id(detail: Mapping[str, object]) -> str:
    value = _text(detail, "EC2InstanceId", "detail.")
    if not INSTANCE_ID.fullmatch(value):
        raise BadInput(
            "detail.EC2InstanceId", f"is {value!r}; it has to be like i-0123456789abcdef0"
        )
    return value


def _token(detail: Mapping[str, object]) -> str:
    value = _text(detail, "LifecycleActionToken", "detail.")
    if len(value) != _TOKEN_LENGTH:
        raise BadInput(
            "detail.LifecycleActionToken", f"is {value!r}; it has {_TOKEN_LENGTH} characters"
        )
    return value


def _place(detail: Mapping[str, object], name: str) -> Place:
    value = _text(detail, name, "detail.")
    if value not in _PLACES:
        raise BadInput(f"detail.{name}", f"is {value!r}; it has to be one of {', '.join(_PLACES)}")
    return _PLACES[value]


def _time(event: Mapping[str, object]) -> float:
    value = _text(event, "time")
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadInput("time", f"is {value!r}; it has to be like 2026-01-31T12:00:00Z") from error
    if at.tzinfo is None:
        raise BadInput("time", f"is {value!r}; it has to name its zone, as 2026-01-31T12:00:00Z")
    return at.timestamp()
