"""EventBridge: rules that match, and targets that are called, later and again when that fails.

What differs from AWS: a schedule fires to the second; and every event comes once, soon and in order
unless faults are switched on (`faults.EventFaults`).
"""

import copy
import json
import threading
import uuid
from functools import partial
from typing import Any

from moto.events.models import Rule, events_backends
from moto.events.responses import EventsHandler
from moto.utilities.arns import parse_arn

from labswarm_lab.plane.events import message
from labswarm_lab.plane.events.bus import Bus
from labswarm_lab.plane.events.delivery import SERVICES, Delivery
from labswarm_lab.plane.events.schedule import Timetable
from labswarm_lab.plane.faults import EventFaults
from labswarm_lab.plane.plane import ACCOUNT, REGION, Plane

RESERVED = "aws."
"""Sources that only AWS's services may use,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html"""
NOT_AUTHORIZED = {
    "ErrorCode": "NotAuthorizedForSourceException",
    "ErrorMessage": "Not authorized for the source.",
}


def install(plane: Plane) -> Bus:
    """Have rules call functions, state machines and queues, each delivery in its own thread.

    Returns the bus, for events that no API of the plane puts.
    """
    delivery = Delivery(plane)
    send_to_others = Rule.send_to_targets

    def send_to_targets(rule: Rule, event: dict[str, Any], *args: Any) -> None:
        # moto matches disabled rules, and a rule that has only a schedule with every event.
        if rule.state != "ENABLED" or not rule.event_pattern.get_pattern():
            return
        if not rule.event_pattern.matches_event(event):
            return
        ours = _deliver(plane, delivery, rule, event)
        others = copy.copy(rule)
        others.targets = [t for t in rule.targets if t not in ours]
        if others.targets:
            send_to_others(others, event, *args)

    def put_events(api: EventsHandler) -> str:
        """PutEvents, which takes no event in the name of an AWS service."""
        entries = api._get_param("Entries", [])
        allowed = [e for e in entries if not str(e.get("Source", "")).startswith(RESERVED)]
        results = iter(api.events_backend.put_events(allowed))
        listed = [next(results) if e in allowed else NOT_AUTHORIZED for e in entries]
        failed = sum("ErrorCode" in result for result in listed)
        return json.dumps({"FailedEntryCount": failed, "Entries": listed})

    Rule.send_to_targets = send_to_targets
    EventsHandler.put_events = put_events
    _keep_time(plane, delivery)
    return Bus(plane, partial(_deliver, plane, delivery))


def _deliver(
    plane: Plane, delivery: Delivery, rule: Rule, event: dict[str, Any]
) -> list[dict[str, Any]]:
    """Deliver an event to the targets of a rule that are ours to call; returns these."""
    ours = [t for t in rule.targets if parse_arn(t["Arn"]).service in SERVICES]
    delivered = message.as_delivered(event)
    for target in ours:
        about = {"rule": rule.name, "target": target["Arn"], "event": event["id"]}
        plane.record.write("events", "matched", **about)
        late = plane.faults.on(EventFaults).deliveries(str(event["detail-type"]))
        if len(late) != 1:
            plane.record.write("events", "duplicated" if late else "lost", **about)
        for late_s in late:
            after_s = late_s + plane.draw(plane.latency.event)
            plane.clock.after(after_s, partial(delivery.deliver, rule.arn, target, delivered))
    return ours


def _keep_time(plane: Plane, delivery: Delivery) -> None:
    """Have the rules of the default bus with a schedule fire, from a thread of their own."""
    timetable = Timetable(plane.clock.real)
    ended = threading.Event()
    plane.closing.append(ended.set)

    def keep() -> None:
        while not ended.wait(min(1.0, plane.clock.real(1))):
            bus = events_backends[ACCOUNT][REGION].event_buses["default"]
            rules = {
                rule.arn: rule
                for rule in list(bus.rules.values())
                if rule.scheduled_expression and rule.state == "ENABLED"
            }
            scheduled = [(arn, rule.scheduled_expression) for arn, rule in rules.items()]
            for arn in timetable.due(scheduled, plane.clock.now()):
                _deliver(plane, delivery, rules[arn], _scheduled_event(arn, plane.clock.now()))

    threading.Thread(target=keep, daemon=True, name="schedules").start()


def _scheduled_event(rule_arn: str, now: float) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html"""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": now,
        "region": REGION,
        "resources": [rule_arn],
        "detail": {},
    }
