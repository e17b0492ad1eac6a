"""The events of Auto Scaling and EC2 that the app accepts: read strictly as far as they decide
something, and liberally in the rest.

Shape: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html;
with warm pools: .../warm-pools-eventbridge-events.html; of spot instances:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html and
.../rebalance-recommendations.html; of executions:
https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from labswarm.cluster import INSTANCE_ID, cluster_of
from labswarm.errors import BadInput
from labswarm.lifecycle.failure import Failure
from labswarm.names import prefix

Transition = Literal["launch", "terminate", "rebalance"]
Kind = Literal["interruption", "rebalance"]
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
_NOTICES: Mapping[str, Kind] = {
    "EC2 Spot Instance Interruption Warning": "interruption",
    "EC2 Instance Rebalance Recommendation": "rebalance",
}
# The possible results for the instance. Whichever it is, its node is lost to the Swarm.
_ACTIONS = ("terminate", "stop", "hibernate")
# The results that CompleteLifecycleAction accepts: Auto Scaling API reference. A token is a UUID.
_TOKEN = re.compile(r"[0-9A-Za-z-]{36}")
_HOOK = re.compile(r"[A-Za-z0-9_/-]{1,255}")
_EXECUTION = re.compile(
    r"arn:[a-z-]+:states:[a-z0-9-]+:[0-9]{12}:execution:([a-z0-9]+)-[A-Za-z0-9:._-]+"
)
# The places of an event that names none: there is no other way without a warm pool.
_USUAL: Mapping[Transition, tuple[Place, Place]] = {
    "launch": ("EC2", "AutoScalingGroup"),
    "terminate": ("AutoScalingGroup", "EC2"),
}
HOOKS: Mapping[Transition, str] = {"launch": "launch", "terminate": "terminate"}
"""The names that Terraform gives the hooks of a group (terraform-base/modules/workers)."""
MINUTE = "labswarm.minute"
"""The source of an event that the app wrote itself: AWS sent none, or it was lost."""
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "aws.autoscaling": (*_TRANSITIONS,),
    "aws.ec2": (*_NOTICES,),
    MINUTE: (*_TRANSITIONS, *_NOTICES),
}
_ENDED = "Step Functions Execution Status Change"
_BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")
TEST_NOTIFICATION = "autoscaling:TEST_NOTIFICATION"


@dataclass(frozen=True)
class LifecycleEvent:
    """A worker of ours waits in a hook; `at` is when it began to (epoch seconds).

    `token` names the lifecycle action. It is the instance's id where nobody knows the token: Auto
    Scaling takes that too, for the action in which the instance waits now.
    """

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
    def by_instance(self) -> bool:
        """Whether the action is named by its instance."""
        return self.token == self.instance_id

    @property
    def ends_the_instance(self) -> bool:
        """Whether the instance is gone afterwards; one that goes to the warm pool comes back."""
        return self.transition == "terminate" and self.destination != "WarmPool"


@dataclass(frozen=True)
class SpotNotice:
    """EC2 says at `at` (epoch seconds) that it will, or may soon, take an instance back.

    It names no group: whether the instance is a worker of ours is not known yet.
    """

    instance_id: str
    kind: Kind
    at: float

    @property
    def transition(self) -> Transition:
        """The transition to claim: an interruption is the end of the instance."""
        return "terminate" if self.kind == "interruption" else "rebalance"


@dataclass(frozen=True)
class Ended:
    """An execution of ours (its ARN) that did not succeed, its input, `given`, and its error."""

    execution: str
    given: object
    failure: Failure


@dataclass(frozen=True)
class Skip:
    """An event that is well-formed and asks nothing of us, and the field that says so."""

    reason: str
    field: str = field(default="", compare=False)


def parse(event: object) -> LifecycleEvent | SpotNotice | Skip:
    """Read an EventBridge event. Raises BadInput naming the first field that is wrong."""
    if not isinstance(event, Mapping):
        raise BadInput("event", "has to be a JSON object")
    detail = event.get("detail")
    if _is_test(event) or _is_test(detail):
        return Skip("a test notification", "Event")
    source = event.get("source")
    if not isinstance(source, str) or source not in _SOURCES:
        raise BadInput("source", f"is {source!r}; only {', '.join(_SOURCES)} are accepted")
    kinds = _SOURCES[source]
    kind = _text(event, "detail-type")
    if kind not in kinds:
        raise BadInput("detail-type", f"is {kind!r}; only {', '.join(kinds)} are accepted")
    if not isinstance(detail, Mapping):
        raise BadInput("detail", "has to be a JSON object")
    read = _lifecycle_event if kind in _TRANSITIONS else _spot_notice
    return read(event, kind, detail)


def cluster_named(event: object) -> str | None:
    """The cluster whose group an event names, also when it is malformed; None for no group of
    ours."""
    detail = event.get("detail") if isinstance(event, Mapping) else None
    asg = detail.get("AutoScalingGroupName") if isinstance(detail, Mapping) else None
    return cluster_of(asg) if isinstance(asg, str) else None


def salvaged(event: object) -> LifecycleEvent | None:
    """The action of a malformed event of ours, to be ended; None when it names no instance.

    Only the fields that name the action are read. A hook or a token that is malformed counts as
    absent, so it has the usual hook, or is named by its instance.
    """
    cluster = cluster_named(event)
    if (
        cluster is None
        or not isinstance(event, Mapping)
        or event.get("detail-type") not in _TRANSITIONS
    ):
        return None
    detail, (_, transition) = event["detail"], _TRANSITIONS[event["detail-type"]]
    try:
        instance_id = _instance_id(detail, "EC2InstanceId")
    except BadInput:
        return None
    origin, destination = _USUAL[transition]
    return LifecycleEvent(
        cluster=cluster,
        asg=detail["AutoScalingGroupName"],
        instance_id=instance_id,
        transition=transition,
        hook=_or(HOOKS[transition], _hook, detail),
        token=_or(instance_id, _token, detail),
        origin=origin,
        destination=destination,
        at=0,
    )


def parse_ended(event: object) -> Ended:
    """Read the event of an execution that ended badly. Raises BadInput naming a field."""
    if not isinstance(event, Mapping):
        raise BadInput("event", "has to be a JSON object")
    kind = (event.get("source"), event.get("detail-type"))
    if kind != ("aws.states", _ENDED):
        raise BadInput("detail-type", f"is {kind!r}; only aws.states' {_ENDED!r} is accepted")
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise BadInput("detail", "has to be a JSON object")
    if detail.get("status") not in _BAD_ENDS:
        raise BadInput(
            "detail.status", f"is {detail.get('status')!r}; it is one of {', '.join(_BAD_ENDS)}"
        )
    execution = _text(detail, "executionArn", "detail.")
    match = _EXECUTION.fullmatch(execution)
    if match is None or match.group(1) != prefix():
        raise BadInput("detail.executionArn", f"is {execution!r}; it has to be one of labswarm's")
    try:
        given = json.loads(_text(detail, "input", "detail."))
    except ValueError as error:
        raise BadInput("detail.input", f"is no JSON ({error})") from error
    failure = {"Error": detail.get("error"), "Cause": detail.get("cause")}
    return Ended(execution, given, Failure.read(failure))


def _or(
    usual: str, read: Callable[[Mapping[str, object]], str], detail: Mapping[str, object]
) -> str:
    try:
        return read(detail)
    except BadInput:
        return usual


def _is_test(values: object) -> bool:
    return isinstance(values, Mapping) and TEST_NOTIFICATION in (
        values.get("Event"),
        values.get("LifecycleTransition"),
    )


def _lifecycle_event(
    event: Mapping[str, object], kind: str, detail: Mapping[str, object]
) -> LifecycleEvent | Skip:
    asg = _text(detail, "AutoScalingGroupName", "detail.")
    cluster = cluster_of(asg)
    if cluster is None:
        return Skip(f"the group {asg!r} is not ours", "detail.AutoScalingGroupName")
    name, transition = _TRANSITIONS[kind]
    if detail.get("LifecycleTransition") != name:
        raise BadInput(
            "detail.LifecycleTransition",
            f"is {detail.get('LifecycleTransition')!r}; with this detail-type it is {name}",
        )
    origin, destination = _USUAL[transition]
    return LifecycleEvent(
        cluster=cluster,
        asg=asg,
        instance_id=_instance_id(detail, "EC2InstanceId"),
        transition=transition,
        hook=_hook(detail),
        token=_token(detail),
        origin=_place(detail, "Origin", origin),
        destination=_place(detail, "Destination", destination),
        at=_time(event),
    )


def _spot_notice(
    event: Mapping[str, object], kind: str, detail: Mapping[str, object]
) -> SpotNotice:
    notice = SpotNotice(
        instance_id=_instance_id(detail, "instance-id"), kind=_NOTICES[kind], at=_time(event)
    )
    if notice.kind == "interruption":
        action = _text(detail, "instance-action", "detail.")
        if action not in _ACTIONS:
            raise BadInput(
                "detail.instance-action",
                f"is {action!r}; it has to be one of {', '.join(_ACTIONS)}",
            )
    return notice


def _text(values: Mapping[str, object], name: str, path: str = "") -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(path + name, f"is {value!r}; it has to be a text that is not empty")
    return value


def _instance_id(detail: Mapping[str, object], name: str) -> str:
    value = _text(detail, name, "detail.")
    if not INSTANCE_ID.fullmatch(value):
        raise BadInput(f"detail.{name}", f"is {value!r}; it has to be like i-0123456789abcdef0")
    return value


def _hook(detail: Mapping[str, object]) -> str:
    value = _text(detail, "LifecycleHookName", "detail.")
    if not _HOOK.fullmatch(value):
        raise BadInput("detail.LifecycleHookName", f"is {value!r}; it is like {_HOOK.pattern}")
    return value


def _token(detail: Mapping[str, object]) -> str:
    if detail.get("LifecycleActionToken") is None:
        return _instance_id(detail, "EC2InstanceId")
    value = _text(detail, "LifecycleActionToken", "detail.")
    if not _TOKEN.fullmatch(value):
        raise BadInput("detail.LifecycleActionToken", f"is {value!r}; it is like {_TOKEN.pattern}")
    return value


def _place(detail: Mapping[str, object], name: str, usual: Place) -> Place:
    if detail.get(name) is None:
        return usual
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
