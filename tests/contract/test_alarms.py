"""Messages reach the subscribers of the alarms, over AWS's twin in process."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from labswarm.aws.alarms import MOST_CHARACTERS, SnsAlarms
from labswarm.errors import Permanent

WHERE: Any = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "x",
    "aws_secret_access_key": "x",
}


@pytest.fixture
def subscribed() -> Iterator[tuple[SnsAlarms, Any]]:
    """The alarms, and a reader of the next message."""
    with mock_aws():
        sns, sqs = boto3.client("sns", **WHERE), boto3.client("sqs", **WHERE)
        topic = sns.create_topic(Name="labswarm-alarms")["TopicArn"]
        queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])

        def read() -> dict[str, Any]:
            (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
            answer: dict[str, Any] = json.loads(message["Body"])
            return answer

        yield SnsAlarms(sns, topic), read


def test_each_sentence_is_a_line_under_the_subject(subscribed: tuple[SnsAlarms, Any]) -> None:
    alarms, read = subscribed
    alarms.send("labswarm: the timetable of physics", ["'A': has no end", "'B': seats is 0"])

    message = read()
    assert message["Subject"] == "labswarm: the timetable of physics"
    assert message["Message"] == "'A': has no end\n'B': seats is 0"


def test_a_text_that_sns_would_refuse_is_cut_and_replaced(
    subscribed: tuple[SnsAlarms, Any],
) -> None:
    alarms, read = subscribed
    alarms.send("caf\u00e9\nX: y " + "s" * 200, ["\u00e9" * 300_000])

    message = read()
    assert message["Subject"].startswith("caf??X: y s")
    assert len(message["Subject"]) < 100
    assert message["Message"] == "\u00e9" * MOST_CHARACTERS


def test_a_topic_that_is_not_there_is_a_permanent_error() -> None:
    with mock_aws():
        gone = SnsAlarms(boto3.client("sns", **WHERE), "arn:aws:sns:eu-west-1:123456789012:none")
        with pytest.raises(Permanent):
            gone.send("subject", ["sentence"])
