"""EventBridge gets every change of an execution's status: "Execution Status Change".

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json
from datetime import datetime
from typing import Any

from moto.events.models import events_backends

from labswarm_emulator.emulator import ACCOUNT, REGION
from labswarm_emulator.stepfunctions.executions import described
from labswarm_emulator.stepfunctions.limits import size

SOURCE, DETAIL_TYPE = "aws.states", "Step Functions Execution Status Change"
LARGEST = 248 * 1024
"""Of escaped input and output together, bytes; more is left out."""

UNKNOWN = (
    "stopDate",
    "output",
    "outputDetails",
    "stateMachineVersionArn",
    "stateMachineAliasArn",
    "redriveDate",
    "redriveStatusReason",
    "error",
    "cause",
)
"""The fields that are null until they are known."""


def detail(execution: Any) -> dict[str, Any]:
    """The answer of DescribeExecution, with times in ms since the epoch and null for missing
    values.
    """
    shown = {**dict.fromkeys(UNKNOWN), **described(execution)}
    for name in ("startDate", "stopDate"):
        if isinstance(shown[name], datetime):
            shown[name] = int(shown[name].timestamp() * 1000)
    output, given = (size(json.dumps(shown[name] or "")) for name in ("output", "input"))
    if output > LARGEST:
        shown |= {"output": None, "outputDetails": {"included": False}}
        output = 0
    if output + given > LARGEST:
        shown |= {"input": None, "inputDetails": {"included": False}}
    reason = f"Execution is {shown['status']} and cannot be redriven"
    return shown | {"redriveStatusReason": reason}


def send(execution: Any) -> None:
    """Put the event of the execution's status now on the default bus."""
    entry = {
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Detail": json.dumps(detail(execution)),
        "Resources": [execution.exec_arn],
    }
    events_backends[ACCOUNT][REGION].put_events([entry])
