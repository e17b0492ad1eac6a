"""Events of an instance for the app, on the default event bus. Permission: events:PutEvents."""

import json
from collections.abc import Mapping
from typing import Any

from labswarm.error_table import aws_kind
from labswarm_node.aws import reached


def put_event(client: Any, source: str, detail_type: str, detail: Mapping[str, Any]) -> None:
    """Put one event by boto3's client. Raises the kind of a refusal; without an answer Transient.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    """
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
    with reached():
        answer = client.put_events(Entries=[entry])
    # PutEvents succeeds also when it takes none of its entries.
    for refused in (one for one in answer["Entries"] if "ErrorCode" in one):
        kind = aws_kind(refused["ErrorCode"], refused.get("ErrorMessage", ""))
        raise kind(f"{detail_type} was refused: {refused['ErrorCode']}")
