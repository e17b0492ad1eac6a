"""Executions: the twin and Step Functions do the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from tests.support.running_emulator import RunningEmulator
from tests.support.state_machines import create
from tests.twins.executions import TwinExecutions

from labswarm.aws.executions import StepFunctionsExecutions
from labswarm.executions import Executions

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:labswarm-x"
WAITS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}


@dataclass(frozen=True)
class Machine:
    """A machine whose executions run until `stop`."""

    executions: Executions
    arn: str
    stop: Callable[[str], object]

    def execution(self, name: str) -> str:
        return f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    if request.param == "twin":
        twin = TwinExecutions()
        yield Machine(twin, MACHINE, twin.running.remove)
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    client = emulator.client("stepfunctions")
    arn = create(emulator, WAITS)
    yield Machine(
        StepFunctionsExecutions(client),
        arn,
        lambda execution: client.stop_execution(executionArn=execution),
    )
    for execution in client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")[
        "executions"
    ]:
        client.stop_execution(executionArn=execution["executionArn"])


def test_an_execution_runs_from_its_start_to_its_end(machine: Machine) -> None:
    assert not machine.executions.runs(machine.execution("one"))

    assert machine.executions.start(machine.arn, "one", {"n": 1})
    assert machine.executions.runs(machine.execution("one"))

    machine.stop(machine.execution("one"))
    assert not machine.executions.runs(machine.execution("one"))


def test_a_running_execution_with_the_same_input_counts_as_started(machine: Machine) -> None:
    assert machine.executions.start(machine.arn, "one", {"n": 1})

    assert machine.executions.start(machine.arn, "one", {"n": 1})


def test_a_name_is_not_used_again_for_another_input(machine: Machine) -> None:
    assert machine.executions.start(machine.arn, "one", {"n": 1})

    assert not machine.executions.start(machine.arn, "one", {"n": 2})
    assert machine.executions.start(machine.arn, "two", {"n": 2})


def test_a_name_is_not_used_again_after_its_execution_has_ended(machine: Machine) -> None:
    assert machine.executions.start(machine.arn, "one", {"n": 1})
    machine.stop(machine.execution("one"))

    assert not machine.executions.start(machine.arn, "one", {"n": 1})


def test_a_text_that_is_no_execution_does_not_run(machine: Machine) -> None:
    assert not machine.executions.runs("none")
