"""Events are read strictly: our events are understood, malformed ones are refused by field."""

import copy
from dataclasses import replace
from typing import Any

import pytest
from tests.support.app_twins import EVENTS, INSTANCE, event

from labswarm.errors import BadInput
from labswarm.lifecycle.events import LifecycleEvent, Skip, SpotNotice, parse, salvaged

WAYS = {
    "launch": ("launch", "EC2", "AutoScalingGroup", False),
    "launch_into_warm_pool": ("launch", "EC2", "WarmPool", False),
    "launch_from_warm_pool": ("launch", "WarmPool", "AutoScalingGroup", False),
    "terminate": ("terminate", "AutoScalingGroup", "EC2", True),
    "terminate_into_warm_pool": ("terminate", "AutoScalingGroup", "WarmPool", False),
    "terminate_from_warm_pool": ("terminate", "WarmPool", "EC2", True),
}

NOTICES = {
    "spot_interruption": ("interruption", "terminate"),
    "rebalance_recommendation": ("rebalance", "rebalance"),
}


def test_every_sample_event_is_replayed() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == {
        *(*WAYS, *NOTICES, "test_notification"),
        *("minute", "seats_short"),  # of lab hours: test_app_hours_handlers.py
        "five_minutes",  # of reconcile: test_app_reconcile.py
        "execution_failed",  # of the last resort: test_app_handlers.py
        *("command_ended", "agent_started"),  # test_app_handlers.py
    }


@pytest.mark.parametrize("name", sorted(WAYS))
def test_a_lifecycle_event_is_understood(name: str) -> None:
    read = parse(event(name))

    assert isinstance(read, LifecycleEvent)
    way = (read.transition, read.origin, read.destination, read.ends_the_instance)
    assert way == WAYS[name]
    assert (read.cluster, read.asg, read.instance_id) == ("lab", "labswarm-lab-workers", INSTANCE)
    assert read.token == "87654321-4321-4321-4321-210987654321"
    assert read.at == 1793713512  # 2026-11-03T13:45:12Z


@pytest.mark.parametrize("name", sorted(NOTICES))
def test_a_spot_notice_is_understood(name: str) -> None:
    read = parse(event(name))

    assert isinstance(read, SpotNotice)
    assert (read.kind, read.transition) == NOTICES[name]
    assert (read.instance_id, read.at) == (INSTANCE, 1793713512)


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_whatever_becomes_of_the_instance_its_node_is_lost(action: str) -> None:
    warned = event("spot_interruption")
    warned["detail"]["instance-action"] = action

    assert parse(warned) == parse(event("spot_interruption"))


def test_a_test_notification_asks_nothing() -> None:
    assert parse(event("test_notification")) == Skip("a test notification")


@pytest.mark.parametrize("group", ["web", "labswarm-workers", "labswarm-Lab-workers", "labswarm-x"])
def test_a_foreign_group_asks_nothing(group: str) -> None:
    foreign = event("launch")
    foreign["detail"]["AutoScalingGroupName"] = group

    read = parse(foreign)

    assert isinstance(read, Skip)
    assert group in read.reason


@pytest.mark.parametrize("name", ["launch", "terminate"])
@pytest.mark.parametrize("value", [None, ...])
def test_an_event_without_origin_and_destination_has_those_of_its_transition(
    name: str, value: Any
) -> None:
    bare = event(name)
    for place in ("Origin", "Destination"):
        if value is ...:
            del bare["detail"][place]
        else:
            bare["detail"][place] = value

    assert parse(bare) == parse(event(name))


def test_an_event_without_a_token_is_named_by_its_instance() -> None:
    bare = event("launch")
    del bare["detail"]["LifecycleActionToken"]

    read = parse(bare)

    assert isinstance(read, LifecycleEvent)
    assert read.by_instance
    assert read.token == INSTANCE


@pytest.mark.parametrize("where", [("detail",), ()])
def test_a_test_notification_is_known_by_its_transition_alone(where: tuple[str, ...]) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html"""
    notification = event("launch")
    detail = notification
    for name in where:
        detail = detail[name]
    detail["LifecycleTransition"] = "autoscaling:TEST_NOTIFICATION"

    assert parse(notification) == Skip("a test notification")


SALVAGED: list[tuple[str, Any, dict[str, str]]] = [
    ("Origin", "Mars", {}),
    ("LifecycleTransition", 7, {}),
    ("LifecycleHookName", "$(reboot)", {"hook": "launch"}),
    ("LifecycleActionToken", "short", {"token": INSTANCE}),
]


@pytest.mark.parametrize(("field", "value", "instead"), SALVAGED)
def test_the_action_of_a_malformed_event_is_salvaged(
    field: str, value: Any, instead: dict[str, str]
) -> None:
    bad, good = event("launch"), parse(event("launch"))
    bad["detail"][field] = value
    assert isinstance(good, LifecycleEvent)

    assert salvaged(bad) == replace(good, at=0, **instead)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("detail-type", "EC2 Instance Launch Successful"),
        ("detail-type", None),
        ("detail.AutoScalingGroupName", "web"),
        ("detail.EC2InstanceId", "i-XYZ"),
        ("detail", []),
    ],
)
def test_an_event_that_names_no_wait_of_ours_is_not_salvaged(field: str, value: Any) -> None:
    bad = event("launch")
    *path, name = field.split(".")
    (bad[path[0]] if path else bad)[name] = value

    assert salvaged(bad) is None


MALFORMED: list[tuple[str, Any]] = [
    ("source", "aws.s3"),
    ("source", None),
    ("detail-type", "EC2 Instance Launch Successful"),
    ("detail-type", "EC2 Spot Instance Interruption Warning"),
    ("detail-type", 7),
    ("detail", None),
    ("detail", "text"),
    ("time", "yesterday"),
    ("time", "2026-11-03T13:45:12"),
    ("time", None),
    ("detail.AutoScalingGroupName", ""),
    ("detail.EC2InstanceId", "i-XYZ"),
    ("detail.EC2InstanceId", "i-0123456789abcdef0; reboot"),
    ("detail.EC2InstanceId", None),
    ("detail.LifecycleTransition", "autoscaling:EC2_INSTANCE_TERMINATING"),
    ("detail.LifecycleTransition", None),
    ("detail.LifecycleHookName", None),
    ("detail.LifecycleActionToken", ""),
    ("detail.LifecycleActionToken", "short"),
    ("detail.Origin", "Mars"),
    ("detail.Destination", ""),
]


MALFORMED_NOTICE: list[tuple[str, Any]] = [
    ("source", "aws.s3"),
    ("detail-type", "EC2 Instance State-change Notification"),
    ("detail-type", None),
    ("detail", []),
    ("time", "2026-11-03 13:45"),
    ("time", 1793713512),
    ("detail.instance-id", "i-XYZ"),
    ("detail.instance-id", "i-0123456789abcdef0\n"),
    ("detail.instance-id", None),
    ("detail.instance-action", None),
    ("detail.instance-action", "reboot"),
]


@pytest.mark.parametrize(
    ("sample", "field", "value"),
    [("launch", *case) for case in MALFORMED]
    + [("spot_interruption", *case) for case in MALFORMED_NOTICE],
)
def test_a_malformed_field_is_refused_by_name(sample: str, field: str, value: Any) -> None:
    bad = copy.deepcopy(event(sample))
    where = bad
    *path, name = field.split(".")
    for key in path:
        where = where[key]
    where[name] = value

    with pytest.raises(BadInput) as refused:
        parse(bad)

    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


@pytest.mark.parametrize("not_an_event", [None, [], "text", 3])
def test_a_text_that_is_no_json_object_is_refused(not_an_event: object) -> None:
    with pytest.raises(BadInput) as refused:
        parse(not_an_event)

    assert refused.value.field == "event"
