"""Greets, with a word from its layer."""

import os
from typing import Any

import layered


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"said": f"{os.environ['GREETING']} {layered.WORD}", "table": os.environ["TABLE"]}
