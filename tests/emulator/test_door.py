"""The plane's own door: an instance that AWS does not hear of, and events in anyone's name."""

import json
from typing import Any

import pytest
import urllib3
from tests.support.running_emulator import RunningPlane, eventually

pytestmark = pytest.mark.emulator


def post(plane: RunningPlane, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
    return urllib3.request("POST", f"{plane.url}/_plane/{path}", json=body, timeout=10)


def test_what_runs_nowhere_is_neither_cut_nor_healed(plane: RunningPlane) -> None:
    for what in ("cut", "heal"):
        assert post(plane, f"{what}/i-0123456789abcdef0").status == 404


@pytest.mark.differs(
    "EventBridge",
    "PutEvents",
    "The plane's own door, beside the API, takes an event in AWS's name.",
    "AWS lets nobody do that, and a sample event has to be replayed as AWS sends it",
)
def test_an_event_put_at_the_door_reaches_rules_in_awss_name(
    plane: RunningPlane, name: str
) -> None:
    url = plane.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    events = plane.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.ec2"]}))
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    try:
        event = {"source": "aws.ec2", "detail-type": "Any", "detail": {"a": 1}, "resources": ["r"]}
        answer = post(plane, "event", event)
        messages = eventually(
            lambda: plane.client("sqs").receive_message(QueueUrl=url).get("Messages")
        )
    finally:
        events.remove_targets(Rule=name, Ids=["queue"])
        events.delete_rule(Name=name)
    assert answer.status == 200
    (told,) = (json.loads(message["Body"]) for message in messages)
    assert told["id"] == answer.json()["id"]
    assert {key: told[key] for key in event} == event


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ([], "no JSON object"),
        ({"source": "aws.ec2"}, "no detail-type and no detail"),
        (
            {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
            "no rule with a schedule",
        ),
    ],
)
def test_what_no_bus_carries_is_refused(plane: RunningPlane, event: Any, said: str) -> None:
    answer = post(plane, "event", event)
    assert answer.status == 400
    assert said in answer.json()["error"]
