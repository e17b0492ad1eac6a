"""The shared parts of Lambda's contract tests."""

import io
import json
import uuid
import zipfile
from dataclasses import dataclass
from typing import Any

SOURCE = """
import os, sys, time

CALLS = 0

class Transient(Exception): ...
class Permanent(Exception): ...

def handler(event, context):
    global CALLS
    CALLS += 1
    match event.get("do"):
        case "fail":
            raise globals()[event["type"]](event["message"])
        case "fail-until":
            if event["count"] < event["attempts"]:
                raise globals()[event["type"]]("not yet")
            return {"count": event["count"]}
        case "sleep":
            if event.get("began"):
                open(event["began"], "x").close()
            time.sleep(event["seconds"])
            return {"slept": event["seconds"], "pid": os.getpid()}
        case "allocate":
            kept = bytearray(event["mb"] * 2**20)
            time.sleep(event.get("seconds", 0))
        case "touch":
            open(event["path"], "x").close()
        case "exit":
            os._exit(event["status"])
        case "kill":
            os.kill(os.getpid(), 9)
        case "return":
            return "x" * event["size"]
        case "environment":
            return {"environment": dict(os.environ), "path": sys.path}
    return {"pid": os.getpid(), "calls": CALLS, "arn": context.invoked_function_arn}
"""
"""A function that does what the event says."""


@dataclass(frozen=True)
class Invoked:
    """The end of one invocation: FunctionError, if any, and the payload."""

    error: str | None
    answer: Any


def archive(source: str, name: str = "app.py") -> bytes:
    """A zip file of one module."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr(name, source)
    return content.getvalue()


def create(emulator: Any, source: str, **properties: Any) -> str:
    """Make a function with a name of its own and by default a timeout of 60 s; its ARN."""
    iam = emulator.client("iam")
    name = f"contract-{uuid.uuid4().hex[:12]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made = emulator.client("lambda").create_function(
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": archive(source)},
        **{"FunctionName": name, "Timeout": 60, **properties},
    )
    return str(made["FunctionArn"])


def invoke(emulator: Any, function: str, event: Any) -> Invoked:
    """Invoke, and wait for the answer."""
    response = emulator.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    return Invoked(response.get("FunctionError"), json.loads(response["Payload"].read()))
