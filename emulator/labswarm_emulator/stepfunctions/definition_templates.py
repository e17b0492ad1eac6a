"""Paths and payload templates of a definition: a key that ends in `.$` has a path or an intrinsic
call.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-inputpath-params.html
"""

from collections.abc import Iterator
from typing import Any

from labswarm_emulator.stepfunctions.definition_fields import JSONATA, PATHS, TEMPLATES
from labswarm_emulator.stepfunctions.definition_rules import Found
from labswarm_emulator.stepfunctions.intrinsic_calls import NoCall, parse
from labswarm_emulator.stepfunctions.intrinsic_functions import GIVE_TEXT
from labswarm_emulator.stepfunctions.intrinsics import checked
from labswarm_emulator.stepfunctions.jsonata import NotComputed
from labswarm_emulator.stepfunctions.jsonata import check as check_jsonata
from labswarm_emulator.stepfunctions.paths import NoPath, check, is_definite
from labswarm_emulator.stepfunctions.result_paths import NoMatch, steps

INNER = {"Branches", "ItemProcessor", "Iterator"}
"""Where states of their own are, which are looked at as such."""


def of_templates(state: dict[str, Any], language: str) -> Found:
    """Of the paths and templates of one state."""
    if language == JSONATA:
        yield from _expressions(state)
        return
    for name in sorted(PATHS & set(state)):
        path = state[name]
        if path is None and name in ("InputPath", "OutputPath"):
            continue
        if not isinstance(path, str) or not _is_path(path):
            yield name, f"The value for the field '{name}' must be a valid JSONPath"
    for name in ("ErrorPath", "CausePath"):
        if name in state and not _is_text(state[name]):
            yield name, f"The value for the field '{name}' must be a valid JSONPath"
    yield from _result_path(state)
    for name in sorted(TEMPLATES & set(state)):
        for field, value in _dynamic(state[name]):
            if not _is_value(value):
                yield (
                    name,
                    f"The value for the field '{field}' must be a valid JSONPath or a valid "
                    "intrinsic function call",
                )


def _expressions(state: dict[str, Any]) -> Found:
    own = {name: value for name, value in state.items() if name not in INNER}
    for text in _texts(own):
        if text.startswith("{%") and text.endswith("%}"):
            try:
                check_jsonata(text[2:-2].strip())
            except NotComputed as error:
                yield "", f"The JSONata expression '{text}' is not valid: {error}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _result_path(state: dict[str, Any]) -> Found:
    catchers = state.get("Catch")
    owners = [("", state)] + [
        (f"Catch[{number}]/", catcher)
        for number, catcher in enumerate(catchers if isinstance(catchers, list) else [])
        if isinstance(catcher, dict)
    ]
    for where, owner in owners:
        path = owner.get("ResultPath")
        if path is not None and not _is_reference(path):
            yield f"{where}ResultPath", "Value is not a Reference Path"


def _dynamic(template: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(template, dict):
        for field, value in template.items():
            if field.endswith(".$"):
                yield field, value
            else:
                yield from _dynamic(value)
    elif isinstance(template, list):
        for value in template:
            yield from _dynamic(value)


def _is_value(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if not value.startswith("States."):
        return _is_path(value)
    try:
        checked(parse(value))
    except NoCall:
        return False
    return True


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith("States."):
        return _is_value(value)
    return _is_value(value) and parse(value).function in GIVE_TEXT


def _is_path(path: str) -> bool:
    try:
        check(path)
    except NoPath:
        return False
    return True


def _is_reference(path: Any) -> bool:
    if not isinstance(path, str) or not path.startswith("$") or path.startswith("$$"):
        return False
    try:
        steps(path)
    except NoMatch:
        return False
    return is_definite(path)
