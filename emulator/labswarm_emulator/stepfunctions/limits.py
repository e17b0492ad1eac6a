"""The quota of a state's input and output: 256 KiB of UTF-8, in Parameters too.

moto refuses data of exactly that size, counts a string without its quotes, and ignores the result
of Parameters. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.common.parargs import Parargs
from moto.stepfunctions.parser.quotas import is_within_size_quota

from labswarm_emulator.stepfunctions import interpreter
from labswarm_emulator.stepfunctions.failures import failure

PAYLOAD = 262_144


def size(text: str) -> int:
    """How long the text is, bytes."""
    return len(text.encode())


def is_within(value: Any) -> bool:
    """Whether `value`, as JSON, is within the quota."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    return size(text) <= PAYLOAD


def install() -> None:
    """Measure like AWS, and measure the result of Parameters or Arguments too."""
    interpreter.replace("is_within_size_quota", is_within_size_quota, is_within)
    make = Parargs._eval_body

    def made(parameters: Parargs, env: Any) -> None:
        make(parameters, env)
        if not is_within(env.stack[-1]):
            cause = "The parameters exceed the maximum number of bytes service limit."
            raise failure(env, "States.DataLimitExceeded", cause)

    Parargs._eval_body = made
