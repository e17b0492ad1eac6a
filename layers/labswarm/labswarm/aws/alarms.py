"""Telling the people who answer alarms what no metric can: a text that names what is wrong."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from labswarm.aws.errors import named

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: a subject is ASCII in one line, under
# 100 characters; a message is at most 256 KiB.
_SUBJECT = 99
_NOT_IN_A_SUBJECT = re.compile(r"[^ -~]")
MOST_CHARACTERS = 60_000
"""How much of a text is sent: in UTF-8 never more than SNS takes."""


class Alarms(Protocol):
    """Where the alarms of this account go."""

    def tell(self, subject: str, sentences: Sequence[str]) -> None:
        """Send the sentences, one a line, under a subject."""


class SnsAlarms:
    """Implements Alarms by the topic that the CloudWatch alarms go to as well."""

    def __init__(self, client: "SNSClient", topic: str) -> None:
        self._client = client
        self._topic = topic

    def tell(self, subject: str, sentences: Sequence[str]) -> None:
        with named():
            self._client.publish(
                TopicArn=self._topic,
                Subject=_NOT_IN_A_SUBJECT.sub("?", subject)[:_SUBJECT],
                Message="\n".join(sentences)[:MOST_CHARACTERS],
            )
