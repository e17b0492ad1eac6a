"""Event patterns: which events a rule is for, and which patterns EventBridge refuses.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html, and
https://github.com/aws/event-ruler, with which EventBridge matches.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from labswarm_emulator.events.operators import OPERATORS, InvalidPattern, checked

OR = "$or"
LONGEST = 4096
"""https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"""


def parse(text: str) -> dict[str, Any]:
    """A pattern that EventBridge takes. Raises InvalidPattern with AWS's reason where one is known.

    Strings, numbers, true, false and null match what is written just so: 300 is not 300.0.
    """
    if len(text) > LONGEST:
        raise InvalidPattern(f"Event pattern is longer than {LONGEST} characters")
    try:
        pattern = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidPattern(f"Event pattern is not valid JSON: {error}") from error
    if not isinstance(pattern, dict):
        raise InvalidPattern("Filter is not an object")
    _check(pattern)
    return pattern


def _check(pattern: Mapping[str, Any]) -> None:
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    for name, wanted in pattern.items():
        if name == OR and isinstance(wanted, list):
            if len(wanted) < 2 or not all(isinstance(one, dict) for one in wanted):
                raise InvalidPattern("There must be at least 2 objects in an $or array")
            for one in wanted:
                _check(one)
        elif isinstance(wanted, dict):
            _check(wanted)
        elif isinstance(wanted, list):
            if not wanted:
                raise InvalidPattern("Empty arrays are not allowed")
            for value in wanted:
                checked(value)
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event has, at each place that the pattern names, a value that it allows.

    An array of the event matches by any one of its elements; fields of objects in an array are
    taken of the same element.
    """
    return _matches(pattern, event, event, ())


def _matches(
    pattern: Mapping[str, Any], here: Mapping[str, Any], event: Any, path: tuple[str, ...]
) -> bool:
    for name, wanted in pattern.items():
        if name == OR and isinstance(wanted, list):
            found = any(_matches(one, here, event, path) for one in wanted)
        elif isinstance(wanted, dict):
            # A missing field is matched as well, for a pattern that wants no field.
            inside = list(_objects(here.get(name))) or [{}]
            found = any(_matches(wanted, one, event, (*path, name)) for one in inside)
        else:
            values = list(_leaves(here[name])) if name in here else []
            absent = not any(True for _ in _at(event, (*path, name)))
            found = any(_allows(value, values, absent) for value in wanted)
        if not found:
            return False
    return True


def _allows(wanted: Any, values: list[Any], absent: bool) -> bool:
    if isinstance(wanted, dict):
        ((operator, operand),) = wanted.items()
        if operator == "exists":
            return bool(values) if operand else absent
        return any(OPERATORS[operator].holds(operand, value) for value in values)
    return any(_same(wanted, value) for value in values)


def _same(wanted: Any, value: Any) -> bool:
    return json.dumps(wanted) == json.dumps(value)


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects that a value is, or holds in arrays."""
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)


def _leaves(value: Any) -> Iterator[Any]:
    """The values, none of them an object or an array, that a value is, or holds in arrays."""
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif not isinstance(value, dict):
        yield value


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """All leaves of an event at a path, whichever elements of arrays they are in."""
    if not path:
        yield from _leaves(value)
        return
    for one in _objects(value):
        if path[0] in one:
            yield from _at(one[path[0]], path[1:])
