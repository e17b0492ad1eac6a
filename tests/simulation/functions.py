"""The app's functions, each module loaded as at a cold start, with twins where AWS would be."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any
from unittest import mock

from labswarm.aws.observability import logger

_NOWHERE = StringIO()
ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"


@dataclass(frozen=True)
class Context:
    """The parts of Lambda's context that a handler's decorators read."""

    function_name: str = "labswarm-simulation"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:labswarm-simulation"
    aws_request_id: str = "request"


@cache
def _code(name: str) -> CodeType:
    path = FUNCTIONS / name / "app.py"
    return compile(path.read_text(), str(path), "exec")


@contextmanager
def _replaced(adapters: Mapping[str, Any], client: Callable[..., Any]) -> Iterator[None]:
    with mock.patch("boto3.client", client), mock.patch.dict(os.environ, {"AWS_REGION": "x"}):
        patches = [mock.patch(f"labswarm.{name}", twin) for name, twin in adapters.items()]
        patches.append(mock.patch("labswarm.aws.environment.required", str.lower))
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()


Handler = Callable[[Any], Any]


def load(
    names: list[str], adapters: Mapping[str, Any], client: Callable[..., Any]
) -> dict[str, Handler]:
    """The handlers by function name. `adapters` maps `module.Name` of the layer to its twin, and
    `client(service, ...)` gives a boto3 client's."""
    handlers: dict[str, Handler] = {}
    with _replaced(adapters, client):
        for name in names:
            module = ModuleType(f"simulated_{name}")
            module.__file__ = str(FUNCTIONS / name / "app.py")
            sys.modules[module.__name__] = module
            exec(_code(name), module.__dict__)  # noqa: S102  # the app's own
            handlers[name] = _handler(module)
    return handlers


def _handler(module: ModuleType) -> Handler:
    def call(event: Any) -> Any:
        # As Lambda: input and output are JSON.
        given = json.loads(json.dumps(event))
        return json.loads(json.dumps(module.handler(given, Context())))

    return call


def quiet() -> None:
    """Keep the functions' logs out of the tests' output."""
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(_NOWHERE)


def function_names() -> list[str]:
    """Every function of the app."""
    return sorted(path.parent.name for path in FUNCTIONS.glob("*/app.py"))
