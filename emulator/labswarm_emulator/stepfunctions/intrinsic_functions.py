"""The 18 intrinsic functions, as AWS documents them.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

import base64
import binascii
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from labswarm_emulator.stepfunctions.intrinsic_calls import CLOSE_BRACE, OPEN_BRACE

ARRAY_ITEMS = 1000
CODED_CHARACTERS = 10_000
HASHES = {"MD5": "md5", **{f"SHA-{bits}": f"sha{bits}" for bits in (1, 256, 384, 512)}}


class WrongArguments(ValueError):
    """The function cannot be applied to its arguments; the message says why."""


def _need(condition: object, why: str) -> None:
    if not condition:
        raise WrongArguments(why)


def _list(value: Any) -> list[Any]:
    _need(isinstance(value, list), f"{_json(value)} is no array")
    return list(value)


def _text(value: Any) -> str:
    _need(isinstance(value, str), f"{_json(value)} is no string")
    return str(value)


def _whole(value: Any) -> int:
    """An integer; "if you specify a non-integer value, Step Functions will round it off"."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    _need(number, f"{_json(value)} is no number")
    return math.floor(float(value) + 0.5)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _format(template: Any, *values: Any) -> str:
    parts = _text(template).split("{}")
    _need(len(parts) == len(values) + 1, f"{len(values)} values for {len(parts) - 1} places")
    _need(not re.search("[{}]", "".join(parts)), "a brace that is not escaped")
    texts = [value if isinstance(value, str) else _json(value) for value in values]
    return parts[0] + "".join(text + part for text, part in zip(texts, parts[1:], strict=True))


def _string_to_json(text: Any) -> Any:
    try:
        return json.loads(_text(text))
    except ValueError as error:
        raise WrongArguments(f"{text!r} is no JSON: {error}") from error


def _partition(array: Any, size: Any) -> list[Any]:
    items, step = _list(array), _whole(size)
    _need(step > 0, f"the chunk size {step} is not positive")
    return [items[at : at + step] for at in range(0, len(items), step)]


def _range(first: Any, last: Any, step: Any) -> list[int]:
    begin, end, by = _whole(first), _whole(last), _whole(step)
    _need(by, "the increment is 0")
    made = range(begin, end + (1 if by > 0 else -1), by)
    _need(len(made) <= ARRAY_ITEMS, f"{len(made)} items are more than {ARRAY_ITEMS}")
    return list(made)


def _item(array: Any, index: Any) -> Any:
    items, at = _list(array), _whole(index)
    _need(0 <= at < len(items), f"no item {at} among {len(items)}")
    return items[at]


def _unique(array: Any) -> list[Any]:
    return list({_json(item): item for item in reversed(_list(array))}.values())[::-1]


def _encode(text: Any) -> str:
    given = _text(text)
    _need(len(given) <= CODED_CHARACTERS, f"more than {CODED_CHARACTERS} characters")
    return base64.b64encode(given.encode()).decode()


def _decode(text: Any) -> str:
    given = _text(text)
    _need(len(given) <= CODED_CHARACTERS, f"more than {CODED_CHARACTERS} characters")
    try:
        return base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise WrongArguments(f"{given!r} is no Base64 of text: {error}") from error


def _hash(data: Any, algorithm: Any) -> str:
    _need(algorithm in HASHES, f"{_json(algorithm)} is none of {', '.join(HASHES)}")
    text = data if isinstance(data, str) else _json(data)
    _need(len(text) <= CODED_CHARACTERS, f"more than {CODED_CHARACTERS} characters")
    return hashlib.new(HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def _merge(first: Any, second: Any, deep: Any) -> dict[str, Any]:
    _need(isinstance(first, dict) and isinstance(second, dict), "both have to be objects")
    _need(deep is False, "only the shallow merge is there: the third argument has to be false")
    return {**first, **second}


def _random(start: Any, end: Any, seed: Any = None) -> int:
    first, last = _whole(start), _whole(end)
    _need(first < last, f"{first} is not below {last}")
    numbers = random.Random() if seed is None else random.Random(_whole(seed))  # noqa: S311
    return numbers.randrange(first, last)  # "start number inclusive, end number exclusive"


def _split(text: Any, delimiters: Any) -> list[str]:
    """Any character of `delimiters` splits; empty parts are left out, as in AWS's example."""
    given, characters = _text(text), _text(delimiters)
    _need(characters, "no delimiter")
    return [part for part in re.split(f"[{re.escape(characters)}]", given) if part]


FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int | None]] = {
    "Format": (_format, 1, None),
    "StringToJson": (_string_to_json, 1, 1),
    "JsonToString": (_json, 1, 1),
    "Array": (lambda *items: list(items), 0, None),
    "ArrayPartition": (_partition, 2, 2),
    "ArrayContains": (lambda array, item: _json(item) in map(_json, _list(array)), 2, 2),
    "ArrayRange": (_range, 3, 3),
    "ArrayGetItem": (_item, 2, 2),
    "ArrayLength": (lambda array: len(_list(array)), 1, 1),
    "ArrayUnique": (_unique, 1, 1),
    "Base64Encode": (_encode, 1, 1),
    "Base64Decode": (_decode, 1, 1),
    "Hash": (_hash, 2, 2),
    "JsonMerge": (_merge, 3, 3),
    "MathRandom": (_random, 2, 3),
    "MathAdd": (lambda first, second: _whole(first) + _whole(second), 2, 2),
    "StringSplit": (_split, 2, 2),
    "UUID": (lambda: str(uuid.uuid4()), 0, 0),
}
"""By name: its function, and its least and greatest number of arguments."""


GIVE_TEXT = {
    "Format",
    "JsonToString",
    "ArrayGetItem",
    "Base64Encode",
    "Base64Decode",
    "Hash",
    "UUID",
}
"""Those that ErrorPath and CausePath may call."""


def takes(function: str, count: int) -> bool:
    """Whether there is this function, and it takes `count` arguments."""
    if function not in FUNCTIONS:
        return False
    _, least, most = FUNCTIONS[function]
    return least <= count and (most is None or count <= most)


def apply(function: str, arguments: Sequence[Any]) -> Any:
    """The value of the function, which `takes` that many arguments. Raises WrongArguments."""
    does, _, _ = FUNCTIONS[function]
    value = does(*arguments)
    return _without_stand_ins(value)


def _without_stand_ins(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(OPEN_BRACE, "{").replace(CLOSE_BRACE, "}")
    return [_without_stand_ins(item) for item in value] if isinstance(value, list) else value
