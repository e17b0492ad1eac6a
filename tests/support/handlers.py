"""The functions' handlers, loaded as Lambda loads them, over twins."""

import importlib.util
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from labswarm.aws.dynamodb.ledger import DynamoLedger
from tests.support.app_twins import (
    event,
)

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"


KEY = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"


@dataclass
class Context:
    """The parts of Lambda's context that the logger reads."""

    function_name: str = "labswarm-test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:labswarm-test"
    aws_request_id: str = "request"


def load(name: str) -> Any:
    """A function's module, imported again as at a cold start."""
    spec = importlib.util.spec_from_file_location(f"app_{name}", FUNCTIONS / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fresh(name: str) -> dict[str, Any]:
    """A sample event that was sent just now."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**event(name), "time": now}


def ledger() -> DynamoLedger:
    return DynamoLedger(boto3.client("dynamodb"), "labswarm-ledger")
