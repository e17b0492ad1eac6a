"""DynamoDB where moto is kinder than AWS: its expressions, its values, and writes at once.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.responses import DynamoHandler

_OPERATIONS = ("put_item", "update_item", "delete_item", "get_item", "query", "scan")
_MANY = ("batch_write_item", "transact_write_items", "transact_get_items")
_ONE_AT_A_TIME = threading.RLock()
"""moto reads an item, decides and writes it without a lock.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate
"""
_VALUE = re.compile(r":\w+")
_SIGNIFICANT_DIGITS = 38


def install() -> None:
    """Check the requests to a table, then let moto carry them out one after the other."""
    for operation in _OPERATIONS:
        serial = _serial(getattr(DynamoHandler, operation))
        setattr(DynamoHandler, operation, _checked(serial))
    for operation in _MANY:
        setattr(DynamoHandler, operation, _serial(getattr(DynamoHandler, operation)))


def _serial(operation: Callable[[DynamoHandler], Any]) -> Callable[[DynamoHandler], Any]:
    def serial(asked: DynamoHandler) -> Any:
        with _ONE_AT_A_TIME:
            return operation(asked)

    return serial


def _checked(operation: Callable[[DynamoHandler], Any]) -> Callable[[DynamoHandler], Any]:
    def checked(asked: DynamoHandler) -> Any:
        _check_values(asked.body)
        for value in (*_values(asked.body, "Item"), *_values(asked.body)):
            _check(value)
        try:
            return operation(asked)
        except ValueError as error:
            # Of moto's parser, which answers 500 to an invalid expression.
            name = next((n for n in asked.body if n.endswith("Expression")), None)
            if name is None:
                raise
            raise MockValidationException(f"Invalid {name}: Syntax error; {error}") from error

    return checked


def _check_values(body: Mapping[str, Any]) -> None:
    """Every placeholder of an expression has a value, and every value is used."""
    given = set(body.get("ExpressionAttributeValues") or {})
    used: set[str] = set()
    for name, expression in body.items():
        if not name.endswith("Expression") or not isinstance(expression, str):
            continue
        found = set(_VALUE.findall(expression))
        for missing in sorted(found - given):
            raise MockValidationException(
                f"Invalid {name}: An expression attribute value used in expression is not "
                f"defined; attribute value: {missing}"
            )
        used |= found
    for unused in sorted(given - used):
        raise MockValidationException(
            f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{unused}}}"
        )


def _values(
    body: Mapping[str, Any], name: str = "ExpressionAttributeValues"
) -> Iterator[Mapping[str, Any]]:
    yield from (body.get(name) or {}).values()


def _check(value: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""
    for kind, held in value.items():
        if kind == "N":
            _check_number(held)
        elif kind in ("SS", "NS", "BS"):
            for number in held if kind == "NS" else ():
                _check_number(number)
            if len(set(held)) < len(held):
                raise MockValidationException(
                    "One or more parameter values were invalid: Input collection "
                    f"[{', '.join(held)}] contains duplicates."
                )
        elif kind == "L":
            for item in held:
                _check(item)
        elif kind == "M":
            for item in held.values():
                _check(item)


def _check_number(text: str) -> None:
    digits = re.sub(r"[eE].*|[^0-9]", "", text).strip("0")
    if len(digits) > _SIGNIFICANT_DIGITS:
        raise MockValidationException(
            "Attempting to store more than 38 significant digits in a Number"
        )
