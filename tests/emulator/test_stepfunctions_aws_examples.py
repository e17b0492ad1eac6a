"""The public examples of AWS's documentation run as it says."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.aws_examples import EXAMPLES, FUNCTION, GUIDE, Resources
from tests.support.lambda_functions import create as create_function
from tests.support.state_machines import create, make_queue, one, run

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def resources(emulator: Any) -> Iterator[Resources]:
    """The resources that the examples name."""
    unique = f"contract-{uuid.uuid4().hex[:12]}"
    topic = emulator.client("sns").create_topic(Name=unique)["TopicArn"]
    tables = emulator.client("dynamodb")
    tables.create_table(
        TableName=unique,
        AttributeDefinitions=[{"AttributeName": "MessageId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "MessageId", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in ("1", "2"):
        item = {"MessageId": {"S": number}, "Message": {"S": f"message {number}"}}
        tables.put_item(TableName=unique, Item=item)
    function = create_function(emulator, FUNCTION)
    machine = create(emulator, one({"Type": "Pass"}))
    yield Resources(function, topic, make_queue(emulator), unique, machine)
    emulator.client("sns").delete_topic(TopicArn=topic)


@pytest.mark.aws(
    "Step Functions",
    "Amazon States Language",
    "44 examples of AWS's documentation end as it says.",
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html",
)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_ends_as_documented(emulator: Any, resources: Resources, name: str) -> None:
    example = EXAMPLES[name]

    ended = run(emulator, example.machine(resources), example.given)

    source = GUIDE + example.page
    if example.error:
        assert (ended["status"], ended.get("error")) == ("FAILED", example.error), source
    else:
        assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"), source)
        assert json.loads(ended["output"]) == example.gives, source
