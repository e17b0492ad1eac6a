"""Run Command's events for EventBridge when a status changes.

https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ssm.html
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from moto.events.models import events_backends

from labswarm_emulator.emulator import ACCOUNT, REGION
from labswarm_emulator.ssm.command import Command, Invocation


def command_changed(command: Command, details: str) -> None:
    """Send the change of the command as a whole, by its StatusDetails."""
    detail = {
        **_about(command),
        "expire-after": _iso(command.expires_at),
        "parameters": dict(command.parameters),
        "status": details,
    }
    _put("EC2 Command Status-change Notification", detail, list(command.invocations))


def invocation_changed(command: Command, invocation: Invocation, details: str) -> None:
    """Send the change of the command on one of its instances."""
    detail = {**_about(command), "instance-id": invocation.instance_id, "status": details}
    kind = "EC2 Command Invocation Status-change Notification"
    _put(kind, detail, [invocation.instance_id])


def _about(command: Command) -> dict[str, str]:
    return {
        "command-id": command.command_id,
        "document-name": command.document,
        "requested-date-time": _iso(command.requested_at),
    }


def _put(kind: str, detail: dict[str, Any], instance_ids: Sequence[str]) -> None:
    events_backends[ACCOUNT][REGION].put_events(
        [
            {
                "Source": "aws.ssm",
                "DetailType": kind,
                "Detail": json.dumps(detail),
                "Resources": [f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{i}" for i in instance_ids],
            }
        ]
    )


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
