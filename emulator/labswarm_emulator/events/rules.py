"""EventBridge's rules: the values that PutRule, PutTargets, PutEvents and TestEventPattern accept
and refuse.

Where no page is named, the rules are those of the operation's own page under
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
"""

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventPattern, EventPatternParser, EventsBackend, Rule
from moto.events.responses import EventsHandler
from moto.utilities.arns import parse_arn

from labswarm_emulator.events import pattern, schedule
from labswarm_emulator.events.delivery import AGE_S, ATTEMPTS, SERVICES
from labswarm_emulator.events.message import as_delivered
from labswarm_emulator.events.operators import InvalidPattern

RESERVED = "aws."
"""Sources that only AWS's services may use,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html"""
NOT_AUTHORIZED = {
    "ErrorCode": "NotAuthorizedForSourceException",
    "ErrorMessage": "Not authorized for the source.",
}
MOST_TARGETS = 5
LARGEST_ENTRY = 256 * 1024
"""https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html"""
EVENT_FIELDS = ("id", "account", "source", "time", "region", "resources", "detail-type")
"""The fields that TestEventPattern requires in an event."""
DELIVERED = (*SERVICES, "events", "logs")
"""Other buses and log groups are moto's to deliver to."""
INPUTS = ("Input", "InputPath", "InputTransformer")


def install() -> None:
    """Correct moto's rules in place."""
    EventPatternParser.parse = _parse
    EventPattern.matches_event = _matches
    EventsHandler.test_event_pattern = _test_event_pattern
    EventsHandler.put_events = _put_events
    _check_rules()
    _check_targets()


def _parse(parser: EventPatternParser) -> dict[str, Any]:
    if not parser.pattern:
        return {}
    try:
        return pattern.parse(parser.pattern)
    except InvalidPattern as reason:
        raise InvalidEventPatternException(reason=str(reason)) from reason


def _matches(event_pattern: EventPattern, event: dict[str, Any]) -> bool:
    wanted = event_pattern.get_pattern()
    return not wanted or pattern.matches(wanted, as_delivered(event))


def _test_event_pattern(api: EventsHandler) -> str:
    wanted = EventPattern.load(api._get_param("EventPattern"))
    try:
        event = json.loads(api._get_param("Event"))
    except json.JSONDecodeError as error:
        raise ValidationException("Parameter Event is not valid JSON.") from error
    lacking = [name for name in EVENT_FIELDS if name not in event]
    if lacking:
        raise ValidationException(
            f"Parameter Event is not valid. Reason: it has no {', '.join(lacking)}"
        )
    return json.dumps({"Result": pattern.matches(wanted.get_pattern(), event)})


def _put_events(api: EventsHandler) -> str:
    """PutEvents takes no event in the name of an AWS service, nor one that is too large."""
    entries = api._get_param("Entries", [])
    if sum(map(_size, entries)) > LARGEST_ENTRY:
        raise ValidationException("Total size of the entries in the request is over the limit.")
    refused = {n: why for n, entry in enumerate(entries) if (why := _refusal(entry))}
    allowed = [entry for n, entry in enumerate(entries) if n not in refused]
    results = iter(api.events_backend.put_events(allowed))
    listed = [refused[n] if n in refused else next(results) for n in range(len(entries))]
    failed = sum("ErrorCode" in result for result in listed)
    return json.dumps({"FailedEntryCount": failed, "Entries": listed})


def _refusal(entry: dict[str, Any]) -> dict[str, str] | None:
    if str(entry.get("Source", "")).startswith(RESERVED):
        return NOT_AUTHORIZED
    try:
        detail = json.loads(entry.get("Detail") or "{}")
    except json.JSONDecodeError:
        return None  # moto refuses it
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None


def _size(entry: dict[str, Any]) -> int:
    """As the guide counts an entry's bytes: 14 for a time, and the texts in UTF-8."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    counted = sum(len(text.encode()) for text in [*texts, *entry.get("Resources", [])])
    return counted + (14 if "Time" in entry else 0)


def _check_rules() -> None:
    put_rule = EventsBackend.put_rule

    def put_checked_rule(backend: EventsBackend, *args: Any, **given: Any) -> Rule:
        expression = given.get("scheduled_expression")
        if expression and not schedule.valid(expression):
            raise ValidationException("Parameter ScheduleExpression is not valid.")
        return put_rule(backend, *args, **given)

    EventsBackend.put_rule = put_checked_rule


def _check_targets() -> None:
    put_targets = EventsBackend.put_targets

    def put_checked_targets(
        backend: EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]
    ) -> None:
        for target in targets:
            _check_target(target)
        rules = backend._get_event_bus(backend._normalize_event_bus_arn(event_bus_arn)).rules
        if name in rules:
            ids = {target["Id"] for target in [*rules[name].targets, *targets]}
            if len(ids) > MOST_TARGETS:
                raise JsonRESTError(
                    "LimitExceededException",
                    "The requested resource exceeds the maximum number allowed.",
                )
        put_targets(backend, name, event_bus_arn, targets)

    EventsBackend.put_targets = put_checked_targets


def _check_target(target: dict[str, Any]) -> None:
    """Refuse what EventBridge or the emulator would not deliver to. Raises ValidationException."""
    target_id = target["Id"]
    service = parse_arn(target["Arn"]).service
    if service not in DELIVERED:
        raise ValidationException(f"This emulator delivers no events to {target['Arn']}.")
    if sum(name in target for name in INPUTS) > 1:
        raise ValidationException(
            "Only one of Input, InputPath, or InputTransformer must be provided for target "
            f"{target_id}."
        )
    if "Input" in target:
        try:
            json.loads(target["Input"])
        except json.JSONDecodeError as error:
            raise ValidationException(
                f"JSON syntax error in input for target {target_id} : {error}"
            ) from error
    if service == "states" and not target.get("RoleArn"):
        raise ValidationException(f"RoleArn is required for target {target['Arn']}.")
    policy = target.get("RetryPolicy", {})
    attempts = policy.get("MaximumRetryAttempts", ATTEMPTS)
    age_s = policy.get("MaximumEventAgeInSeconds", AGE_S)
    if not 0 <= attempts <= ATTEMPTS:
        raise _constraint("maximumRetryAttempts", attempts, 0, ATTEMPTS)
    if not 60 <= age_s <= AGE_S:
        raise _constraint("maximumEventAgeInSeconds", age_s, 60, AGE_S)


def _constraint(name: str, value: int, least: int, most: int) -> ValidationException:
    bound = f"less than or equal to {most}" if value > most else f"greater than or equal to {least}"
    return ValidationException(
        f"1 validation error detected: Value '{value}' at 'targets.1.member.retryPolicy.{name}' "
        f"failed to satisfy constraint: Member must have value {bound}"
    )
