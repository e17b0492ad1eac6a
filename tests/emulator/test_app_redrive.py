"""Events in EventBridge's dead-letter queue are sent again to their targets."""

import json
import time
from typing import Any

import pytest
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.state_machines import ROLE, finished, one

from labswarm_operator.redrive import redrive

pytestmark = pytest.mark.emulator

ACCOUNT = "eu-west-1:123456789012"


def test_an_event_for_a_machine_that_was_not_there_starts_it_once_it_is(
    emulator: RunningEmulator, name: str
) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"""
    sqs, events, states = (emulator.client(s) for s in ("sqs", "events", "stepfunctions"))
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    machine = f"arn:aws:states:{ACCOUNT}:stateMachine:{name}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    target: dict[str, Any] = {
        "Id": "machine",
        "Arn": machine,
        "RoleArn": ROLE,
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{ACCOUNT}:{name}"},
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    }
    events.put_targets(Rule=name, Targets=[target])
    entry = {"Source": name, "DetailType": "Test", "Detail": json.dumps({"waiting": 8})}
    events.put_events(Entries=[entry])

    def buried() -> int:
        found = sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    eventually(lambda: buried() == 1)
    (looked,) = redrive(emulator.client, name, time.time(), dry_run=True)
    assert (looked.done, looked.target, buried()) == ("sent", machine, 1)
    (kept,) = redrive(emulator.client, name, time.time(), dry_run=False)
    assert (kept.done, buried()) == ("kept", 1)

    states.create_state_machine(
        name=name, definition=json.dumps(one({"Type": "Pass"})), roleArn=ROLE
    )
    (sent,) = redrive(emulator.client, name, time.time(), dry_run=False)

    assert (sent.done, buried()) == ("sent", 0)
    (execution,) = states.list_executions(stateMachineArn=machine)["executions"]
    given = json.loads(finished(emulator, execution["executionArn"])["input"])
    assert (given["source"], given["detail"]) == (name, {"waiting": 8})
    events.remove_targets(Rule=name, Ids=["machine"])
    events.delete_rule(Name=name)
