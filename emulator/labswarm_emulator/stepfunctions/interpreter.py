"""How a correction reaches every module of moto's interpreter that uses what it corrects."""

import sys
from typing import Any

from moto.stepfunctions.parser.asl.parse import asl_parser  # noqa: F401  # loads all of it

PACKAGE = "moto.stepfunctions.parser."


def replace(name: str, old: Any, new: Any) -> None:
    """Put `new` in the place of `old` wherever moto's interpreter has it under `name`.

    Raises LookupError where it is nowhere: another moto, and this correction to be looked at again.
    """
    using = [
        module
        for path, module in list(sys.modules.items())
        if path.startswith(PACKAGE) and getattr(module, name, None) is old
    ]
    if not using:
        raise LookupError(f"no module of {PACKAGE} uses {name}")
    for module in using:
        setattr(module, name, new)
