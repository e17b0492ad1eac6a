"""EventBridge: rules that match, schedules, and targets that are called, again when that fails.

Differences from AWS: a schedule fires to the second; and every event comes once, soon and in order
unless faults are switched on (`faults.EventFaults`).
"""

import copy
import json
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from moto.events.models import Rule, events_backends
from moto.utilities.arns import parse_arn

from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator
from labswarm_emulator.events import message, rules
from labswarm_emulator.events.bus import Bus
from labswarm_emulator.events.delivery import SERVICES, Delivery, Invocation, rule_code
from labswarm_emulator.events.schedule import Timed, Timetable
from labswarm_emulator.events.scheduler import Scheduler
from labswarm_emulator.faults import EventFaults

SCHEDULED = "Scheduled Event"


def install(emulator: Emulator) -> Bus:
    """Have rules and schedules call functions, state machines and queues, each in its own thread.

    Returns the bus, for events that no API of the emulator puts.
    """
    delivery = Delivery(emulator)
    send_to_others = Rule.send_to_targets

    def call(invocation: Invocation, detail_type: str) -> None:
        """Deliver once, or as the faults say."""
        late = emulator.faults.on(EventFaults).deliveries(detail_type)
        if len(late) != 1:
            what = "duplicated" if late else "lost"
            arn = invocation.target["Arn"]
            emulator.record.write("events", what, event=invocation.event, target=arn)
        for late_s in late:
            after_s = late_s + emulator.draw(emulator.latency.event)
            emulator.clock.after(after_s, partial(delivery.deliver, invocation))

    def fire(rule: Rule, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Deliver an event to the targets of a rule that are ours to call; returns these."""
        ours = [t for t in rule.targets if parse_arn(t["Arn"]).service in SERVICES]
        delivered = message.as_delivered(event)
        for target in ours:
            emulator.record.write(
                "events", "matched", rule=rule.name, target=target["Arn"], event=event["id"]
            )
            invocation = Invocation(
                target=target,
                body=_always(message.text(delivered, target, rule.arn)),
                event=event["id"],
                attributes={"RULE_ARN": rule.arn},
                since=emulator.clock.now(),
                code=rule_code,
                letter=json.dumps(delivered),
            )
            call(invocation, str(event["detail-type"]))
        return ours

    def send_to_targets(rule: Rule, event: dict[str, Any], *args: Any) -> None:
        # moto matches disabled rules, and a rule that has only a schedule with every event.
        if rule.state != "ENABLED" or not rule.event_pattern.get_pattern():
            return
        if not rule.event_pattern.matches_event(event):
            return
        ours = fire(rule, event)
        others = copy.copy(rule)
        others.targets = [t for t in rule.targets if t not in ours]
        if others.targets:
            send_to_others(others, event, *args)

    Rule.send_to_targets = send_to_targets
    rules.install()
    scheduler = Scheduler(emulator, partial(call, detail_type=SCHEDULED))
    scheduler.install()
    _each_second(emulator, _scheduled_rules(emulator, fire))
    _each_second(emulator, scheduler.fire_due)
    return Bus(emulator, fire)


def _always(body: str) -> Callable[[int], str]:
    return lambda _attempt: body


def _each_second(emulator: Emulator, tick: Callable[[], None]) -> None:
    """Have something done each second of the emulator, in a thread, until the emulator closes."""
    ended = threading.Event()
    emulator.closing.append(ended.set)

    def keep() -> None:
        while not ended.wait(min(1.0, emulator.clock.real(1))):
            tick()

    threading.Thread(target=keep, daemon=True, name="schedules").start()


def _scheduled_rules(
    emulator: Emulator, fire: Callable[[Rule, dict[str, Any]], object]
) -> Callable[[], None]:
    """Fires those rules of the default bus whose schedule is due."""
    timetable = Timetable(emulator.clock.real)

    def tick() -> None:
        bus = events_backends[ACCOUNT][REGION].event_buses["default"]
        scheduled = {
            rule.arn: rule
            for rule in list(bus.rules.values())
            if rule.scheduled_expression and rule.state == "ENABLED"
        }
        timed = [Timed(arn, rule.scheduled_expression) for arn, rule in scheduled.items()]
        now = emulator.clock.now()
        for arn in timetable.due(timed, now):
            fire(scheduled[arn], _scheduled_event(arn, now))

    return tick


def _scheduled_event(rule_arn: str, now: float) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html"""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": SCHEDULED,
        "source": "aws.events",
        "account": ACCOUNT,
        "time": now,
        "region": REGION,
        "resources": [rule_arn],
        "detail": {},
    }
