"""The comparison operators of event patterns: the arguments of each, and the values that match.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
The reasons for a refusal are worded as https://github.com/aws/event-ruler words them.
"""

import ipaddress
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST = 5e9
"""Numbers have to be from -5e9 to 5e9, with 15 digits of precision."""
IGNORE_CASE = "equals-ignore-case"
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class InvalidPattern(ValueError):
    """EventBridge refuses the pattern; the message is its reason."""


@dataclass(frozen=True)
class Operator:
    """`check` raises InvalidPattern for a bad operand; `holds` takes operand and event's value."""

    check: Callable[[Any], None]
    holds: Callable[[Any, Any], bool]


def checked(value: Any) -> None:
    """Refuse what cannot stand in an array of a pattern. Raises InvalidPattern."""
    if isinstance(value, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    if not isinstance(value, dict):
        return
    if len(value) != 1:
        raise InvalidPattern("Only one key allowed in match expression")
    ((name, operand),) = value.items()
    if name not in OPERATORS:
        raise InvalidPattern(f"Unrecognized match type {name}")
    OPERATORS[name].check(operand)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_text(name: str) -> Callable[[Any], None]:
    def check(operand: Any) -> None:
        if not isinstance(operand, str):
            raise InvalidPattern(f"{name} match pattern must be a string")

    return check


def _check_end(name: str) -> Callable[[Any], None]:
    """Of prefix and suffix: a text, or one whose case is ignored."""

    def check(operand: Any) -> None:
        if isinstance(operand, dict) and list(operand) == [IGNORE_CASE]:
            operand = operand[IGNORE_CASE]
        _check_text(name)(operand)

    return check


def _end(ends: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def holds(operand: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(operand, dict):
            return ends(value.lower(), operand[IGNORE_CASE].lower())
        return ends(value, operand)

    return holds


def _check_wildcard(operand: Any) -> None:
    _check_text("wildcard")(operand)
    escaped = False
    for at, character in enumerate(operand):
        if escaped:
            if character not in "*\\":
                raise InvalidPattern(f"Invalid escape character at pos {at - 1}")
            escaped = False
        elif character == "\\":
            escaped = True
        elif operand[at : at + 2] == "**":
            raise InvalidPattern(f"Consecutive wildcard characters at pos {at}")
    if escaped:
        raise InvalidPattern(f"Invalid escape character at pos {len(operand) - 1}")


def _wildcard(operand: str, value: Any) -> bool:
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+", operand)
    regex = "".join(".*" if p == "*" else re.escape(re.sub(r"\\(.)", r"\1", p)) for p in parts)
    return isinstance(value, str) and re.fullmatch(regex, value, re.DOTALL) is not None


def _check_numeric(operand: Any) -> None:
    if not isinstance(operand, list) or not operand:
        raise InvalidPattern("Value of numeric must be an array.")
    if len(operand) not in (2, 4):
        raise InvalidPattern("Too many or too few elements in numeric expression")
    signs, numbers = operand[::2], operand[1::2]
    for sign in signs:
        if sign not in COMPARE:
            raise InvalidPattern(f"Unrecognized numeric range operator: {sign}")
    for number in numbers:
        if not _number(number):
            raise InvalidPattern(f"Value of {signs[0]} must be numeric")
        if abs(number) > MOST:
            raise InvalidPattern(f"Value must be between -5.0E9 and 5.0E9, and is {number}")
    if len(signs) == 2:
        if signs[0] not in (">", ">=") or signs[1] not in ("<", "<="):
            raise InvalidPattern("Bad numeric range operator: a range is > or >=, then < or <=")
        if numbers[0] >= numbers[1]:
            raise InvalidPattern("Bottom must be less than top")


def _numeric(operand: list[Any], value: Any) -> bool:
    return _number(value) and all(
        COMPARE[sign](value, number)
        for sign, number in zip(operand[::2], operand[1::2], strict=True)
    )


def _check_cidr(operand: Any) -> None:
    _check_text("CIDR")(operand)
    if operand.count("/") != 1:
        raise InvalidPattern("Malformed CIDR, one '/' required")
    try:
        ipaddress.ip_network(operand, strict=False)
    except ValueError as error:
        raise InvalidPattern(f"Malformed CIDR: {error}") from error


def _cidr(operand: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False  # the event's value is no address


def _check_exists(operand: Any) -> None:
    if not isinstance(operand, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")


def _check_anything_but(operand: Any) -> None:
    if isinstance(operand, dict):
        if len(operand) != 1 or next(iter(operand)) not in UNLESS:
            raise InvalidPattern(f"Unsupported anything-but pattern: {', '.join(operand)}")
        ((name, inside),) = operand.items()
        for one in _listed(inside):
            _check_text(name)(one)
            OPERATORS[name].check(one)
            if not one:
                raise InvalidPattern(f"Null {name} not allowed")
        return
    values = _listed(operand)
    if not all(_number(v) for v in values) and not all(isinstance(v, str) for v in values):
        raise InvalidPattern("Inside anything but list, all values are numbers or all strings")


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        ((name, inside),) = operand.items()
        return not any(OPERATORS[name].holds(one, value) for one in _listed(inside))
    return not any(type(one) is type(value) and one == value for one in _listed(operand))


def _listed(operand: Any) -> list[Any]:
    if operand == []:
        raise InvalidPattern("Empty arrays are not allowed")
    return operand if isinstance(operand, list) else [operand]


def _ignore_case(operand: str, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == operand.lower()


UNLESS = ("prefix", "suffix", IGNORE_CASE, "wildcard")
"""The operators that anything-but can negate, each also with a list."""

OPERATORS = {
    "prefix": Operator(_check_end("prefix"), _end(str.startswith)),
    "suffix": Operator(_check_end("suffix"), _end(str.endswith)),
    IGNORE_CASE: Operator(_check_text(IGNORE_CASE), _ignore_case),
    "wildcard": Operator(_check_wildcard, _wildcard),
    "numeric": Operator(_check_numeric, _numeric),
    "cidr": Operator(_check_cidr, _cidr),
    "exists": Operator(_check_exists, lambda _operand, _value: False),
    "anything-but": Operator(_check_anything_but, _anything_but),
}
"""By name. `exists` is about a field and not about a value of it: `pattern` sees to that."""
