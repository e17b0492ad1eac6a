"""The default bus, for events that no AWS API of the emulator sends, such as replayed ones."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moto.events.models import Rule, events_backends

from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
SCHEDULED = ("aws.events", "Scheduled Event")


class NoEvent(ValueError):
    """The entry is not an event that EventBridge would carry; the message says why."""


class Bus:
    """Takes events in any source's name; `fire` delivers one to a rule's targets."""

    def __init__(self, emulator: Emulator, fire: Callable[[Rule, dict[str, Any]], object]) -> None:
        self._emulator = emulator
        self._fire = fire

    def put(self, event: Mapping[str, Any]) -> str:
        """Put an event as AWS sends it, with an id and a time of its own; returns the id.

        A scheduled event goes to the rule that it names, as a schedule's does. Raises NoEvent.
        """
        lacking = [name for name in ("source", "detail-type", "detail") if name not in event]
        if lacking:
            raise NoEvent(f"it has no {' and no '.join(lacking)}")
        instance = _INSTANCE.search(json.dumps(event["detail"]))
        about = {"instance": instance[0]} if instance else {}
        self._emulator.record.write("events", "replayed", kind=event["detail-type"], **about)
        if (event["source"], event["detail-type"]) == SCHEDULED:
            return self._fire_schedule(event)
        entry = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "Resources": event.get("resources", []),
        }
        (result,) = events_backends[ACCOUNT][REGION].put_events([entry])
        if "ErrorMessage" in result:
            raise NoEvent(str(result["ErrorMessage"]))
        return str(result["EventId"])

    def _fire_schedule(self, event: Mapping[str, Any]) -> str:
        named = {str(arn).rpartition("/")[2] for arn in event.get("resources", [])}
        rules = [
            rule
            for rule in events_backends[ACCOUNT][REGION].event_buses["default"].rules.values()
            if rule.scheduled_expression and _is_named(rule.name, named)
        ]
        if not rules:
            raise NoEvent(f"no rule with a schedule is called {' or '.join(named) or 'anything'}")
        event_id = str(uuid.uuid4())
        for rule in rules:
            anew = {"id": event_id, "time": self._emulator.clock.now(), "resources": [rule.arn]}
            self._fire(rule, {**event, **anew})
        return event_id


def _is_named(rule: str, named: set[str]) -> bool:
    """CloudFormation adds a random end to a rule's name, which a sample cannot know."""
    return any(rule == name or rule.startswith(f"{name}-") for name in named)
