"""Tasks that wait for a token: the twin and Step Functions do the same."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.state_machines import finished, make_queue, one, start
from tests.twins.tasks import TwinTasks

from labswarm.aws.tasks import StepFunctionsTasks
from labswarm.errors import Permanent, Transient
from labswarm.tasks import Tasks


@dataclass(frozen=True)
class Waiting:
    """A Task that waits for its token, and how it ended: its result, or its error's name."""

    tasks: Tasks
    token: str
    ended: Callable[[], Any]


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def waiting(request: pytest.FixtureRequest) -> Iterator[Waiting]:
    if request.param == "twin":
        twin = TwinTasks("token")

        def how() -> Any:
            end = twin.ended["token"]
            return type(end).__name__ if isinstance(end, Exception) else end

        yield Waiting(twin, "token", how)
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    queue = make_queue(emulator)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}},
        "End": True,
    }
    execution = start(emulator, one(task))

    def received() -> Any:
        messages = emulator.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
        return messages and json.loads(messages[0]["Body"])["token"]

    def ended() -> Any:
        end = finished(emulator, execution)
        return json.loads(end["output"]) if end["status"] == "SUCCEEDED" else end["error"]

    tasks = StepFunctionsTasks(emulator.client("stepfunctions"))
    yield Waiting(tasks, str(eventually(received)), ended)


def test_an_answer_is_the_tasks_result(waiting: Waiting) -> None:
    assert waiting.tasks.succeed(waiting.token, {"servers": ["a"]})
    assert waiting.ended() == {"servers": ["a"]}


def test_a_failure_has_the_name_of_its_kind(waiting: Waiting) -> None:
    assert waiting.tasks.fail(waiting.token, Transient("not now"))
    assert waiting.ended() == "Transient"


def test_only_the_first_answer_counts(waiting: Waiting) -> None:
    assert waiting.tasks.succeed(waiting.token, {"first": True})
    assert waiting.ended() == {"first": True}
    assert not waiting.tasks.succeed(waiting.token, {"first": False})
    assert not waiting.tasks.fail(waiting.token, Transient("too late"))


def test_a_token_that_was_never_given_out_is_refused(waiting: Waiting) -> None:
    with pytest.raises(Permanent):
        waiting.tasks.succeed("no token", {})
