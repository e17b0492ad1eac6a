"""Faults of EventBridge's deliveries: lost, duplicated, late and out of order."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator, eventually

from labswarm_emulator.faults import CapacityFaults, EventFaults, Faults, NoFault


def asked(emulator: RunningEmulator, method: str, path: str, body: Any = None) -> Any:
    """Call the control API; return the status, and the answer's JSON if there is any."""
    answer = urllib3.request(method, f"{emulator.url}/_emulator/{path}", json=body, timeout=10)
    return answer.status, answer.json() if answer.data else None


@pytest.fixture
def delivered(emulator: RunningEmulator, name: str) -> Iterator[Callable[[], list[int]]]:
    """The numbers that a rule's queue was sent so far, in the order they came; faults end after."""
    sqs, events = emulator.client("sqs"), emulator.client("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    seen: list[int] = []

    def numbers() -> list[int]:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        seen.extend(json.loads(message["Body"])["detail"]["n"] for message in got)
        return list(seen)

    yield numbers
    asked(emulator, "DELETE", "faults/events")
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


def put(emulator: RunningEmulator, source: str, n: int) -> str:
    entry = {"Source": source, "DetailType": source, "Detail": json.dumps({"n": n})}
    return str(emulator.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"])


@pytest.mark.emulator
@pytest.mark.differs(
    "EventBridge",
    "delivery",
    "An event is delivered once, at once and in order, unless `lab fault events` is on.",
    "Tests need an order of events; AWS's disorder can be injected as a fault.",
)
def test_events_are_lost_only_while_the_fault_is_on(
    emulator: RunningEmulator, delivered: Callable[[], list[int]], name: str
) -> None:
    only = [name]
    status, on = asked(emulator, "PUT", "faults/events", {"loss": 1, "detail_types": only})
    assert (status, on["loss"], on["detail_types"]) == (200, 1, only)
    lost = put(emulator, name, 1)
    assert asked(emulator, "GET", "faults") == (200, {"events": on})
    assert asked(emulator, "GET", "faults/events") == (200, on)
    assert asked(emulator, "DELETE", "faults/events") == (204, None)
    put(emulator, name, 2)
    assert eventually(delivered) == [2]
    assert emulator.recorded("events", event=lost, what="lost")
    assert asked(emulator, "GET", "faults") == (200, {})
    assert asked(emulator, "GET", "faults/events")[1]["loss"] == 0
    assert asked(emulator, "GET", "faults/weather")[0] == 400
    assert asked(emulator, "POST", "faults/events", {})[0] == 405


@pytest.mark.emulator
@pytest.mark.aws(
    "EventBridge",
    "delivery",
    "With the fault on, an event comes twice with the same id: delivery is at least once.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html",
)
def test_a_duplicate_is_the_same_event_again(
    emulator: RunningEmulator, delivered: Callable[[], list[int]], name: str
) -> None:
    asked(emulator, "PUT", "faults/events", {"duplicates": 1, "detail_types": [name]})
    event = put(emulator, name, 1)
    assert eventually(lambda: len(delivered()) > 1 and delivered()) == [1, 1]
    assert len(emulator.recorded("events", event=event, what="delivered")) == 2


@pytest.mark.emulator
@pytest.mark.aws(
    "EventBridge",
    "delivery",
    "With the fault on, a later event overtakes an earlier one: there is no order.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html",
)
def test_an_event_held_back_is_overtaken(
    emulator: RunningEmulator, delivered: Callable[[], list[int]], name: str
) -> None:
    fault = {"reordered": 1, "held_s": 30, "detail_types": [name]}
    asked(emulator, "PUT", "faults/events", fault)
    put(emulator, name, 1)
    asked(emulator, "DELETE", "faults/events")
    put(emulator, name, 2)
    assert eventually(lambda: len(delivered()) > 1 and delivered()) == [2, 1]


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("faults/weather", {}, "no fault is called weather: there are events, "),
        ("faults/events", {"los": 1}, "events has no los: it has loss, duplicates"),
        ("faults/events", {"loss": 1.5}, "events.loss is a share from 0 to 1, not 1.5"),
        ("faults/events", {"delay_s": "1"}, "events.delay_s is a time from 0 to 86400 s"),
        ("faults/events", {"detail_types": "All"}, "events.detail_types is a list of texts"),
        ("faults/capacity", {"spot": [1]}, "capacity.spot is a list of texts"),
        ("faults/events", [], "The settings of events are no JSON object"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_and_changes_nothing(
    emulator: RunningEmulator, path: str, body: Any, said: str
) -> None:
    status, answer = asked(emulator, "PUT", path, body)
    assert status == 400
    assert said in answer["error"]
    assert asked(emulator, "GET", "faults") == (200, {})


def test_the_same_seed_makes_the_same_choices() -> None:
    def chosen(seed: int) -> list[list[float]]:
        fault = EventFaults(loss=0.3, duplicates=0.3, reordered=0.3, delay_s=1, seed=seed)
        return [fault.deliveries("Any") for _ in range(300)]

    first = chosen(7)
    assert first == chosen(7) != chosen(8)
    assert {len(copies) for copies in first} == {0, 1, 2}
    assert {late_s for copies in first for late_s in copies} == {1, 11}
    lost = sum(not copies for copies in first)
    assert 60 <= lost <= 120


def test_an_event_of_another_detail_type_is_left_alone() -> None:
    fault = EventFaults(loss=1, detail_types=("Sample",))
    assert fault.deliveries("Sample") == []
    assert fault.deliveries("Other") == [0]


def test_capacity_is_gone_by_market_and_type() -> None:
    fault = CapacityFaults(spot=("*",), on_demand=("m5.large",))
    assert fault.lacks("t3.medium", spot=True)
    assert not fault.lacks("t3.medium", spot=False)
    assert fault.lacks("m5.large", spot=False)


def test_a_kind_that_is_off_has_nothing_wrong_and_all_are_cleared_at_once() -> None:
    faults = Faults()
    assert faults.on(EventFaults).deliveries("Any") == [0]
    faults.put("events", {"loss": 1})
    faults.put("capacity", {"spot": ["*"]})
    assert faults.on(EventFaults).loss == 1
    faults.clear()
    assert faults.shown() == {}
    with pytest.raises(NoFault, match="weather"):
        faults.clear("weather")
