"""The rules for a Retry, a Catch, a Choice and a task's Resource.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

import re
from collections.abc import Iterator
from typing import Any

from labswarm_emulator.stepfunctions.definition_fields import JSONATA

LONGEST_S = 99_999_999
LONGEST_DELAY_S = 31_622_400

_COMPARATOR = re.compile(
    r"(Boolean|Numeric|String|Timestamp)Equals(Path)?"
    r"|(Numeric|String|Timestamp)(Less|Greater)Than(Equals)?(Path)?"
    r"|StringMatches|Is(Null|Present|Numeric|String|Boolean|Timestamp)"
)
_COMBINED = {"And", "Or", "Not"}
_RETRIER = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCHER = {"ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment"}

_INTEGRATIONS = {
    "lambda:invoke",
    "states:startExecution",
    "sqs:sendMessage",
    "sns:publish",
    "events:putEvents",
    "dynamodb:getItem",
    "dynamodb:putItem",
    "dynamodb:updateItem",
    "dynamodb:deleteItem",
}
_SERVICE = re.compile(
    r"arn:aws:states:[a-z0-9-]*:(?:\d{12})?:(?P<called>(?:aws-sdk:)?[\w-]+:\w+)"
    r"(?:\.(?P<pattern>sync|sync:2|waitForTaskToken))?"
)
_FUNCTION = re.compile(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$-]+)?")

Found = Iterator[tuple[str, str]]
"""Problems: each with its place below the state."""


def is_count(value: Any, least: int, most: int = LONGEST_S) -> bool:
    """Whether `value` is a whole number between these."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def of_errors(kind: str, rules: Any) -> Found:
    """Of a Retry or a Catch: an array of rules, each for some names."""
    if not isinstance(rules, list):
        yield kind, "Expected value of type Array"
        return
    for number, rule in enumerate(rules):
        at = f"{kind}[{number}]"
        if not isinstance(rule, dict):
            yield at, "Expected value of type Object"
            continue
        yield from _names(at, rule.get("ErrorEquals"), is_last=number == len(rules) - 1)
        known = _RETRIER if kind == "Retry" else _CATCHER
        for field in sorted(set(rule) - known):
            yield at, f"Field '{field}' is not supported"
        if kind == "Retry":
            yield from _numbers(at, rule)
        elif "Next" not in rule:
            yield at, "These fields are required: [Next]"


def _names(at: str, names: Any, is_last: bool) -> Found:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        yield f"{at}/ErrorEquals", "Expected value of type Array of String"
    elif not names:
        yield f"{at}/ErrorEquals", "Value cannot be empty"
    elif "States.ALL" in names and (len(names) > 1 or not is_last):
        yield f"{at}/ErrorEquals", "States.ALL has to be alone, and the last one"


def _numbers(at: str, retrier: dict[str, Any]) -> Found:
    if not is_count(retrier.get("IntervalSeconds", 1), 1):
        yield f"{at}/IntervalSeconds", f"Value has to be between 1 and {LONGEST_S}"
    if not is_count(retrier.get("MaxAttempts", 3), 0):
        yield f"{at}/MaxAttempts", f"Value has to be between 0 and {LONGEST_S}"
    rate = retrier.get("BackoffRate", 2.0)
    if not isinstance(rate, int | float) or rate < 1:
        yield f"{at}/BackoffRate", "Value has to be at least 1.0"
    if "MaxDelaySeconds" in retrier:
        longest, first = retrier["MaxDelaySeconds"], retrier.get("IntervalSeconds", 1)
        if not is_count(longest, 1, LONGEST_DELAY_S - 1) or longest <= first:
            yield f"{at}/MaxDelaySeconds", "Value has to be above IntervalSeconds and below a year"
    if retrier.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
        yield f"{at}/JitterStrategy", "Value has to be one of [FULL, NONE]"


def of_choices(rules: Any, language: str) -> Found:
    """Of the rules of a Choice."""
    if not isinstance(rules, list):
        yield "Choices", "Expected value of type Array"
    elif not rules:
        yield "Choices", "Value cannot be empty"
    else:
        for number, rule in enumerate(rules):
            at = f"Choices[{number}]"
            if not isinstance(rule, dict) or "Next" not in rule:
                yield at, "These fields are required: [Next]"
            elif language == JSONATA:
                yield from (
                    [] if "Condition" in rule else [(at, "These fields are required: [Condition]")]
                )
            else:
                test = {name: value for name, value in rule.items() if name != "Next"}
                yield from _rule(at, test, is_top=True)


def _rule(at: str, rule: Any, is_top: bool = False) -> Found:
    if not isinstance(rule, dict):
        yield at, "Expected value of type Object"
        return
    test = set(rule) - {"Comment", "Assign"} if is_top else set(rule) - {"Comment"}
    if combined := test & _COMBINED:
        (name, *others) = sorted(combined)
        inner = rule[name] if name != "Not" else [rule[name]]
        if others or test != combined or not isinstance(inner, list) or not inner:
            yield at, "A rule has to be one of [And, Or, Not] and its rules"
            return
        for number, part in enumerate(inner):
            yield from _rule(f"{at}/{name}[{number}]", part)
        return
    unknown = sorted(name for name in test - {"Variable"} if not _COMPARATOR.fullmatch(name))
    for name in unknown:
        yield at, f"Field '{name}' is not supported"
    if not unknown and ("Variable" not in rule or len(test) != 2):
        yield at, "A rule has to have Variable and one comparison operator"


def of_resource(resource: Any) -> Found:
    """Of a Task's call; calls that the emulator lacks are refused like those that AWS lacks."""
    if not isinstance(resource, str):
        yield "Resource", "Expected value of type String"
        return
    if _FUNCTION.fullmatch(resource):
        return
    service = _SERVICE.fullmatch(resource)
    if service is None or not (
        service["called"] in _INTEGRATIONS or service["called"].startswith("aws-sdk:")
    ):
        yield (
            "Resource",
            f"The resource provided {resource} is not recognized. The value is not a valid "
            "resource ARN, or the resource is not available in this region.",
        )
    elif service["pattern"] in ("sync", "sync:2"):
        yield "Resource", f"'.{service['pattern']}' is not available in this region."
