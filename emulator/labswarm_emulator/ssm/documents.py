"""Command documents: the allowed values of their parameters, and the resulting script.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DEFAULT_TIMEOUT_S = 3600
SHORTEST_TIMEOUT_S, LONGEST_TIMEOUT_S = 1, 172_800
LINUX = {"StringEquals": ["platformType", "Linux"]}
PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_-]+)\s*\}\}")


class InvalidParameters(ValueError):
    """A value that the document does not allow, or a parameter that it does not have."""


class Unsupported(ValueError):
    """A document of a kind that the emulator does not run."""


@dataclass(frozen=True)
class Script:
    """A machine's task: one step of a document with its parameters filled in."""

    step: str
    text: str
    environment: Mapping[str, str]
    timeout_s: float


def script(content: Mapping[str, Any], given: Mapping[str, Sequence[str]]) -> Script:
    """The script of a document for these parameters (each value a list, as SendCommand has it).

    Raises InvalidParameters, or Unsupported for anything but one aws:runShellScript step.
    """
    steps = content.get("mainSteps") or []
    if len(steps) != 1 or steps[0].get("action") != "aws:runShellScript":
        raise Unsupported("this emulator runs documents of one aws:runShellScript step")
    if steps[0].get("precondition", LINUX) != LINUX:
        raise Unsupported("this emulator's precondition is that the platformType is Linux")
    declared: Mapping[str, Any] = content.get("parameters") or {}
    values = _values(declared, given)
    environment = {
        f"SSM_{name}": value
        for name, value in values.items()
        if declared[name].get("interpolationType") == "ENV_VAR"
    }

    def fill(text: str) -> str:
        """Put values in place; one that is in the environment stays there, and is referred to."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name not in values:
                raise InvalidParameters(f"{name} is not a parameter of the document")
            return f"$SSM_{name}" if f"SSM_{name}" in environment else values[name]

        return PLACEHOLDER.sub(value, text)

    inputs = steps[0].get("inputs") or {}
    lines = inputs.get("runCommand") or []
    return Script(
        step=steps[0].get("name", "aws:runShellScript"),
        text="\n".join(fill(line) for line in ([lines] if isinstance(lines, str) else lines)),
        environment=environment,
        timeout_s=_timeout_s(str(inputs.get("timeoutSeconds", DEFAULT_TIMEOUT_S)), values),
    )


def _timeout_s(limit: str, values: Mapping[str, str]) -> float:
    """The agent reads the limit itself, so a parameter in it is a value in either case."""
    named = PLACEHOLDER.fullmatch(limit)
    text = values.get(named[1], "") if named else limit
    if not text.isdecimal() or not SHORTEST_TIMEOUT_S <= int(text) <= LONGEST_TIMEOUT_S:
        raise Unsupported(f"timeoutSeconds is {limit}, not 1 to 172800")
    return float(text)


def _values(declared: Mapping[str, Any], given: Mapping[str, Sequence[str]]) -> dict[str, str]:
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise InvalidParameters(f"the document has no parameter {', '.join(unknown)}")
    values: dict[str, str] = {}
    for name, rules in declared.items():
        if rules.get("type", "String") != "String":
            raise Unsupported(f"parameter {name}: this emulator takes type String only")
        if name in given:
            if len(given[name]) != 1:
                raise InvalidParameters(f"parameter {name} takes one value")
            values[name] = given[name][0]
        elif "default" in rules:
            values[name] = str(rules["default"])
        else:
            raise InvalidParameters(f"parameter {name} is missing")
        _check(name, values[name], rules)
    return values


def _check(name: str, value: str, rules: Mapping[str, Any]) -> None:
    pattern = rules.get("allowedPattern")
    if pattern and not re.search(pattern, value):
        raise InvalidParameters(f"parameter {name} does not match {pattern}")
    allowed = rules.get("allowedValues")
    if allowed and value not in map(str, allowed):
        raise InvalidParameters(f"parameter {name} is not one of {', '.join(map(str, allowed))}")
    if not int(rules.get("minChars", 0)) <= len(value) <= int(rules.get("maxChars", len(value))):
        raise InvalidParameters(f"parameter {name} is too short or too long")
