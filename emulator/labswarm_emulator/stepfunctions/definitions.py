"""Refuse definitions that AWS refuses, and those that the emulator does not support.

moto takes a machine whose states lead nowhere, and fails once it is there.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labswarm_emulator.stepfunctions import definition_fields as fields
from labswarm_emulator.stepfunctions import definition_rules as rules
from labswarm_emulator.stepfunctions.definition_templates import of_templates
from labswarm_emulator.stepfunctions.timestamps import parsed

SCHEMA = "SCHEMA_VALIDATION_FAILED"
LONGEST_NAME = 80


@dataclass(frozen=True)
class Problem:
    """A problem and its place: a JSON pointer, None for the text as a whole."""

    code: str
    message: str
    location: str | None

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location else ""
        return f"{self.code}: {self.message}{where}"


Found = Iterator[Problem]


def problems(text: str) -> list[Problem]:
    """Everything that AWS or the emulator would not run in this definition."""
    try:
        machine = json.loads(text)
    except ValueError as error:
        return [Problem("INVALID_JSON_DESCRIPTION", str(error), None)]
    if not isinstance(machine, dict):
        return [Problem(SCHEMA, "Definition must be a valid JSON object", None)]
    found = list(_machine(machine, "", fields.MACHINE, fields.JSONPATH))
    names = list(_names(machine))
    repeated = sorted({name for name in names if names.count(name) > 1})
    found += [
        Problem("DUPLICATE_STATE_NAME", f"There is more than one state '{name}'", "/States")
        for name in repeated
    ]
    return found


def _machine(machine: dict[str, Any], at: str, known: set[str], language: str) -> Found:
    missing = [name for name in ("States", "StartAt") if name not in machine]
    if missing:
        yield Problem(SCHEMA, f"These fields are required: [{', '.join(missing)}]", at or "/")
        return
    for name in sorted(set(machine) - known):
        yield Problem(SCHEMA, f"Field '{name}' is not supported", at or "/")
    if not rules.is_count(machine.get("TimeoutSeconds", 1), 1):
        yield Problem(SCHEMA, "Value has to be positive", f"{at}/TimeoutSeconds")
    spoken = machine.get("QueryLanguage", language)
    if spoken not in (fields.JSONPATH, fields.JSONATA):
        yield Problem(SCHEMA, "Unknown QueryLanguage", f"{at}/QueryLanguage")
        return
    states = machine["States"]
    if not isinstance(states, dict) or not states:
        yield Problem(SCHEMA, "Value cannot be empty", f"{at}/States")
        return
    for name, state in states.items():
        yield from _state(name, state, f"{at}/States/{name}", spoken)
    if all(isinstance(state, dict) for state in states.values()):
        yield from _transitions(machine, states, at)


def _transitions(machine: dict[str, Any], states: dict[str, Any], at: str) -> Found:
    leads = {name: list(_leads(state)) for name, state in states.items()}
    for field, target in [("/StartAt", machine["StartAt"])] + [
        (f"/States/{name}/{field}", target) for name in states for field, target in leads[name]
    ]:
        if target not in states:
            said = f"Missing transition target: {target}"
            yield Problem("MISSING_TRANSITION_TARGET", said, f"{at}{field}")
    reached, new = set(), {machine["StartAt"]} & set(states)
    while new:
        reached |= new
        new = {to for name in new for _, to in leads[name] if to in states} - reached
    for name in [name for name in states if name not in reached]:
        said = f"State '{name}' is not reachable."
        yield Problem("MISSING_TRANSITION_TARGET", said, f"{at}/States/{name}")
    if not any(
        state.get("Type") in ("Succeed", "Fail") or state.get("End") for state in states.values()
    ):
        yield Problem("MISSING_END_STATE", "No terminal state found", f"{at}/States")


def _leads(state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "Next" in state:
        yield "Next", state["Next"]
    if "Default" in state:
        yield "Default", state["Default"]
    for field in ("Choices", "Catch"):
        listed = state.get(field)
        for number, rule in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(rule, dict) and "Next" in rule:
                yield f"{field}[{number}]/Next", rule["Next"]


def _state(name: str, state: Any, at: str, language: str) -> Found:
    if len(name) > LONGEST_NAME:
        yield Problem("INVALID_STATE_NAME", f"longer than {LONGEST_NAME} characters", at)
    if not isinstance(state, dict):
        yield Problem(SCHEMA, "Expected value of type Object", at)
        return
    kind = state.get("Type")
    if kind not in fields.TYPES:
        known = ", ".join(fields.TYPES)
        yield Problem(
            SCHEMA, f"The field 'Type' should have one of these values: [{known}]", f"{at}/Type"
        )
        return
    own = state.get("QueryLanguage", language)
    if language == fields.JSONATA and own == fields.JSONPATH:
        said = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
        yield Problem(SCHEMA, said, at)
        return
    for where, said in (*_fields(kind, state, own), *_values(kind, state, own)):
        yield Problem(SCHEMA, said, f"{at}/{where}" if where else at)
    for where, inner, known_fields in _inner(state):
        if isinstance(inner, dict):
            yield from _machine(inner, f"{at}/{where}", known_fields, language)
        else:
            yield Problem(SCHEMA, "Expected value of type Object", f"{at}/{where}")


def _inner(state: dict[str, Any]) -> Iterator[tuple[str, Any, set[str]]]:
    branches = state.get("Branches", [])
    for number, branch in enumerate(branches if isinstance(branches, list) else []):
        yield f"Branches[{number}]", branch, fields.BRANCH
    for name in ("ItemProcessor", "Iterator"):
        if name in state:
            yield name, state[name], fields.PROCESSOR


def _names(machine: dict[str, Any]) -> Iterator[str]:
    states = machine.get("States")
    for name, state in states.items() if isinstance(states, dict) else ():
        yield name
        for _, inner, _ in _inner(state) if isinstance(state, dict) else ():
            yield from _names(inner) if isinstance(inner, dict) else ()


def _fields(kind: str, state: dict[str, Any], language: str) -> rules.Found:
    known = fields.of(kind, language)
    for name in sorted(set(state) - known):
        if name in fields.ABSENT:
            yield "", f"Field '{name}' is not available here: {fields.ABSENT[name]}"
        else:
            yield "", f"Field '{name}' is not supported"
    missing = [name for name in fields.REQUIRED.get(kind, ()) if name not in state]
    if missing:
        yield "", f"These fields are required: [{', '.join(missing)}]"
    one_of = fields.ONE_OF.get(kind, ())
    if one_of and sum(name in state for name in one_of) != 1:
        yield "", f"Exactly one of these fields is required: [{', '.join(one_of)}]"
    for first, second in fields.AT_MOST_ONE_OF:
        if first in state and second in state:
            yield "", f"'{first}' and '{second}' exclude each other"
    if "Next" in known:
        if ("Next" in state) == ("End" in state):
            yield "", "Exactly one of these fields is required: [Next, End]"
        elif "End" in state and state["End"] is not True:
            yield "End", "Value has to be true"


def _values(kind: str, state: dict[str, Any], language: str) -> rules.Found:
    if "Resource" in state and kind == "Task":
        yield from rules.of_resource(state["Resource"])
    for name in ("Retry", "Catch"):
        yield from rules.of_errors(name, state[name]) if name in state else ()
    if kind == "Choice" and "Choices" in state:
        yield from rules.of_choices(state["Choices"], language)
    if kind == "Parallel" and state.get("Branches") == []:
        yield "Branches", "Value cannot be empty"
    for name, least in (("TimeoutSeconds", 1), ("HeartbeatSeconds", 1), ("Seconds", 0)):
        written = name in state and not _is_expression(state[name], language)
        if written and not rules.is_count(state[name], least):
            yield name, f"Value has to be a whole number of seconds, at least {least}"
    timeout, heartbeat = (state.get(f"{name}Seconds") for name in ("Timeout", "Heartbeat"))
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        yield "HeartbeatSeconds", "Value has to be below TimeoutSeconds"
    moment = state.get("Timestamp")
    written = "Timestamp" in state and not _is_expression(moment, language)
    if written and not (isinstance(moment, str) and parsed(moment)):
        yield "Timestamp", "String does not match RFC3339 timestamp"
    processor = state.get("ItemProcessor")
    config = processor.get("ProcessorConfig", {}) if isinstance(processor, dict) else {}
    if config.get("Mode", "INLINE") != "INLINE":
        yield "ItemProcessor/ProcessorConfig/Mode", "A distributed map is not available here"
    yield from of_templates(state, language)


def _is_expression(value: Any, language: str) -> bool:
    return language == fields.JSONATA and isinstance(value, str) and value.startswith("{%")
