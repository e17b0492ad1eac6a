"""The control API: cut an instance's link, and put an event in any service's name."""

import json
from typing import Any

import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator, eventually

pytestmark = pytest.mark.emulator


def post(emulator: RunningEmulator, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
    return urllib3.request("POST", f"{emulator.url}/_emulator/{path}", json=body, timeout=10)


def test_an_unknown_instance_is_neither_cut_nor_healed(emulator: RunningEmulator) -> None:
    for what in ("cut", "heal"):
        assert post(emulator, f"{what}/i-0123456789abcdef0").status == 404


@pytest.mark.parametrize("path", ["/", "/_emulator/kill/i-0123456789abcdef0"])
def test_a_web_page_reaches_neither_awss_apis_nor_the_control_api(
    emulator: RunningEmulator, path: str
) -> None:
    answer = urllib3.request(
        "POST", f"{emulator.url}{path}", headers={"Origin": "https://page.example"}, timeout=10
    )

    assert answer.status == 403
    assert b"answers no web page" in answer.data


@pytest.mark.differs(
    "EventBridge",
    "PutEvents",
    "A control API of the emulator, next to AWS's, takes an event in AWS's name.",
    "AWS lets nobody do that, and a sample event has to be replayed as AWS sends it",
)
def test_an_event_put_over_the_control_api_reaches_rules_in_awss_name(
    emulator: RunningEmulator, name: str
) -> None:
    url = emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    events = emulator.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.ec2"]}))
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    try:
        event = {"source": "aws.ec2", "detail-type": "Any", "detail": {"a": 1}, "resources": ["r"]}
        answer = post(emulator, "event", event)
        messages = eventually(
            lambda: emulator.client("sqs").receive_message(QueueUrl=url).get("Messages")
        )
    finally:
        events.remove_targets(Rule=name, Ids=["queue"])
        events.delete_rule(Name=name)
    assert answer.status == 200
    (received,) = (json.loads(message["Body"]) for message in messages)
    assert received["id"] == answer.json()["id"]
    assert {key: received[key] for key in event} == event


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
def test_an_event_that_no_bus_carries_is_refused(
    emulator: RunningEmulator, event: Any, said: str
) -> None:
    answer = post(emulator, "event", event)
    assert answer.status == 400
    assert said in answer.json()["error"]
