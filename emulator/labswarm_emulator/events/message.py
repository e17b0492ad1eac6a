"""An event as its target gets it: whole, a part of it, or put into a template.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jsonpath_ng.ext import parse

_NOTHING = object()
VARIABLE = re.compile(r"<([A-Za-z0-9_.-]+)>")


def as_delivered(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with its time in ISO 8601, and without what moto keeps for itself."""
    delivered = {key: value for key, value in event.items() if key != "ingestion-time"}
    if isinstance(delivered["time"], int | float):
        at = datetime.fromtimestamp(delivered["time"], UTC)
        delivered["time"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return delivered


def text(event: Mapping[str, Any], target: Mapping[str, Any], rule_arn: str) -> str:
    """The message for a rule's target: JSON, by its Input, InputPath or InputTransformer."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = _at(event, target["InputPath"])
        return json.dumps(None if found is _NOTHING else found)
    if "InputTransformer" in target:
        return _transformed(event, target["InputTransformer"], rule_arn)
    return json.dumps(event)


def _transformed(event: Mapping[str, Any], transformer: Mapping[str, Any], rule_arn: str) -> str:
    """Variables inside a string of the template become text, others a JSON value.

    One whose path is not in the event leaves nothing in its place: not null, and perhaps no JSON.
    """
    template: str = transformer["InputTemplate"]
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event["time"],
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        found = values[match[1]]
        if found is _NOTHING:
            return ""
        quotes = re.findall(r'(?<!\\)"', template[: match.start()])
        if len(quotes) % 2 == 0:
            return json.dumps(found)
        inside = found if isinstance(found, str) else json.dumps(found)
        return json.dumps(inside)[1:-1]

    return VARIABLE.sub(value, template)


def _at(event: Mapping[str, Any], path: str) -> Any:
    found = parse(path).find(event)
    return found[0].value if found else _NOTHING
