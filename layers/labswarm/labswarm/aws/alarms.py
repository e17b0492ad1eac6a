"""Alarms with a text, over SNS."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labswarm.aws.errors import named

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: a subject is ASCII in one line, under
# 100 characters; a message is at most 256 KiB.
_SUBJECT = 99
_NOT_IN_A_SUBJECT = re.compile(r"[^ -~]")
MOST_CHARACTERS = 60_000
"""How much of a text is sent: in UTF-8 never more than SNS takes."""


class SnsAlarms:
    """Implements labswarm.lab_hours.alarms.Alarms by the topic that CloudWatch alarms go to."""

    def __init__(self, client: "SNSClient", topic: str) -> None:
        self._client = client
        self._topic = topic

    def send(self, subject: str, sentences: Sequence[str]) -> None:
        with named():
            self._client.publish(
                TopicArn=self._topic,
                Subject=_NOT_IN_A_SUBJECT.sub("?", subject)[:_SUBJECT],
                Message="\n".join(sentences)[:MOST_CHARACTERS],
            )
