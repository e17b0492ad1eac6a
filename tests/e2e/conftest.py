"""A lab as its user has it: brought up, asked and ended by the command alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.support.kept_pages import pytest_runtest_makereport  # noqa: F401  # a hook

from labswarm_lab.nodes.requirements import missing

COMMAND = Path(sys.executable).with_name("labswarm")
SIMULATED = ("--workers", "1", "--simulated")


@dataclass(frozen=True)
class LabUnderTest:
    """Drives `labswarm lab --name NAME`."""

    name: str

    @property
    def command(self) -> list[str]:
        return [str(COMMAND), "lab", "--name", self.name]

    def run(self, *words: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def must(self, *words: str) -> str:
        """Run and succeed; its standard output."""
        completed = self.run(*words)
        assert completed.returncode == 0, f"{words}: {completed.stdout}{completed.stderr}"
        return completed.stdout

    def status(self) -> dict[str, Any]:
        seen: dict[str, Any] = json.loads(self.must("status", "--json"))
        return seen

    def client(self, service: str) -> Any:
        """A boto3 client of the lab's emulator, as an operator has one of AWS."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the service is a variable here
            endpoint_url=self.status()["emulator"],
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def eventually(
        self, what: str, is_so: Callable[[dict[str, Any]], bool], within_s: float
    ) -> dict[str, Any]:
        """Wait until the status shows it; fails with the last value seen."""
        deadline = time.monotonic() + within_s
        while True:
            seen = self.status()
            if is_so(seen):
                return seen
            assert time.monotonic() < deadline, f"not within {within_s} s: {what}; seen: {seen}"
            time.sleep(0.5)

    def executions(self, machine: str, status: str) -> list[str]:
        """The executions of one of the app's machines with this status, newest first."""
        stepfunctions = self.client("stepfunctions")
        arns = {
            found["name"]: found["stateMachineArn"]
            for found in stepfunctions.list_state_machines()["stateMachines"]
        }
        found = stepfunctions.list_executions(stateMachineArn=arns[machine], statusFilter=status)
        return [execution["executionArn"] for execution in found["executions"]]

    def history(self, execution: str) -> list[dict[str, Any]]:
        """The events of an execution, up to a thousand."""
        events: list[dict[str, Any]] = self.client("stepfunctions").get_execution_history(
            executionArn=execution, maxResults=1000
        )["events"]
        return events

    def states_entered(self, execution: str) -> list[str]:
        """The names of the states that an execution entered, in order."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.history(execution)
            if "stateEnteredEventDetails" in event
        ]

    def cost(self, execution: str) -> tuple[int, int]:
        """The billed parts of an execution: its state transitions and its functions' calls.

        A retry is both: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
        and https://aws.amazon.com/step-functions/pricing/.
        """
        kinds = [event["type"] for event in self.history(execution)]
        entered = sum(kind.endswith("StateEntered") for kind in kinds)
        called = sum(kind in ("TaskScheduled", "LambdaFunctionScheduled") for kind in kinds)
        tasks = kinds.count("TaskStateEntered")
        return entered + called - tasks, called


def brought_up(name: str, *options: str) -> Iterator[LabUnderTest]:
    lab = LabUnderTest(name)
    try:
        lab.must("up", *options)
        yield lab
    finally:
        lab.must("down", "--homes")


@pytest.fixture(scope="module")
def lab() -> Iterator[LabUnderTest]:
    """A lab of real nodes with one worker."""
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    yield from brought_up(f"e2e{os.getpid()}", "--workers", "1")


@pytest.fixture(scope="module")
def simulated_lab() -> Iterator[LabUnderTest]:
    """A lab of simulated nodes with one worker."""
    yield from brought_up(f"sim{os.getpid()}", *SIMULATED)
