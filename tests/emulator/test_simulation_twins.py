"""The twins of tests/simulation do what the emulator does, one suite for both."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.simulation.agents import Machine, SsmTwin
from tests.simulation.auto_scaling import LAUNCHING, TERMINATING, AutoScalingTwin, Group, Hook
from tests.simulation.virtual_time import VirtualTime
from tests.support.running_emulator import RunningEmulator, eventually

pytestmark = pytest.mark.emulator

SHORTEST_S = 30
"""The shortest heartbeat timeout that AWS takes."""


class OfTheEmulator:
    """A group of the emulator, with a new name."""

    def __init__(self, emulator: RunningEmulator, name: str) -> None:
        self.name, self.autoscaling, self.ssm = (
            name,
            emulator.client("autoscaling"),
            emulator.client("ssm"),
        )
        self._emulator = emulator
        self._queue = emulator.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        pattern = {"source": ["aws.autoscaling"], "detail": {"AutoScalingGroupName": [name]}}
        emulator.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
        emulator.client("events").put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    def make(self, heartbeat_s: int, default: str = "ABANDON") -> None:
        self._emulator.client("ec2").create_launch_template(
            LaunchTemplateName=self.name,
            LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.medium"},
        )
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateName": self.name},
            AvailabilityZones=["eu-west-1a"],
            MinSize=0,
            MaxSize=4,
            DesiredCapacity=0,
            LifecycleHookSpecificationList=[
                {
                    "LifecycleHookName": name,
                    "LifecycleTransition": transition,
                    "HeartbeatTimeout": heartbeat_s,
                    "DefaultResult": default,
                }
                for name, transition in (("launch", LAUNCHING), ("terminate", TERMINATING))
            ],
        )

    def token(self, instance_id: str, hook: str) -> str:
        def received() -> list[Any]:
            got = self._emulator.client("sqs").receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            events = [json.loads(message["Body"]) for message in got.get("Messages", [])]
            return [
                event["detail"]["LifecycleActionToken"]
                for event in events
                if event["detail-type"].endswith("Lifecycle Action")
                and event["detail"]["EC2InstanceId"] == instance_id
                and event["detail"]["LifecycleHookName"] == hook
            ]

        return str(eventually(received)[0])

    def waited(self, seen: Callable[[], Any], within_s: float = 120) -> Any:
        return eventually(seen, within_s=within_s)

    def end(self) -> None:
        self.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        self._emulator.client("events").remove_targets(Rule=self.name, Ids=["queue"])
        self._emulator.client("events").delete_rule(Name=self.name)


class OfTheSimulation:
    """The twin of the same."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.time = VirtualTime()
        self.received: list[Any] = []
        draw = random.Random(1)  # noqa: S311  # no secret
        self.autoscaling = AutoScalingTwin(
            self.time, draw, lambda _: None, lambda _: None, self.received.append
        )

    def make(self, heartbeat_s: int, default: str = "ABANDON") -> None:
        hooks = (
            Hook("launch", LAUNCHING, heartbeat_s, default),
            Hook("terminate", TERMINATING, heartbeat_s, default),
        )
        self.autoscaling.groups[self.name] = Group(self.name, hooks, most=4)

    def token(self, instance_id: str, hook: str) -> str:
        (detail,) = [
            event["detail"]
            for event in self.received
            if event["detail"]["EC2InstanceId"] == instance_id
            and event["detail"]["LifecycleHookName"] == hook
        ]
        return str(detail["LifecycleActionToken"])

    def waited(self, seen: Callable[[], Any], within_s: float = 120) -> Any:
        assert self.time.run_until(lambda: bool(seen()), within_s), seen()
        return seen()

    def end(self) -> None:
        self.time.close()


Side = OfTheEmulator | OfTheSimulation


@pytest.fixture(params=["emulator", "simulation"])
def side(request: pytest.FixtureRequest, emulator: RunningEmulator, name: str) -> Iterator[Side]:
    made: Side = (
        OfTheEmulator(emulator, name) if request.param == "emulator" else OfTheSimulation(name)
    )
    yield made
    made.end()


def states(side: Side) -> dict[str, str]:
    described = side.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[side.name])
    instances = described["AutoScalingGroups"][0]["Instances"]
    return {i["InstanceId"]: i["LifecycleState"] for i in instances}


def scale(side: Side, desired: int) -> None:
    side.autoscaling.set_desired_capacity(
        AutoScalingGroupName=side.name, DesiredCapacity=desired, HonorCooldown=False
    )


def complete(side: Side, instance_id: str, hook: str, result: str = "CONTINUE") -> None:
    side.autoscaling.complete_lifecycle_action(
        AutoScalingGroupName=side.name,
        LifecycleHookName=hook,
        LifecycleActionToken=side.token(instance_id, hook),
        LifecycleActionResult=result,
    )


def in_service(side: Side, count: int = 1) -> list[str]:
    """So many instances, let through the launch hook."""
    scale(side, count)
    waiting = side.waited(lambda: len(states(side)) == count and list(states(side)))
    for instance_id in waiting:
        complete(side, instance_id, "launch")
    side.waited(lambda: list(states(side).values()) == ["InService"] * count)
    return list(states(side))


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_an_instance_waits_in_its_hooks_until_they_are_completed(side: Side) -> None:
    side.make(600)
    scale(side, 1)
    (instance_id,) = side.waited(lambda: list(states(side)))
    assert states(side) == {instance_id: "Pending:Wait"}
    complete(side, instance_id, "launch")
    side.waited(lambda: states(side) == {instance_id: "InService"})
    scale(side, 0)
    assert states(side) == {instance_id: "Terminating:Wait"}
    complete(side, instance_id, "terminate")
    side.waited(lambda: not states(side))


def test_an_abandoned_launch_is_ended_through_its_hook_and_replaced(side: Side) -> None:
    side.make(600)
    scale(side, 1)
    (first,) = side.waited(lambda: list(states(side)))
    complete(side, first, "launch", "ABANDON")
    side.waited(lambda: len(states(side)) == 2)
    assert sorted(states(side).values()) == ["Pending:Wait", "Terminating:Wait"]
    assert states(side)[first] == "Terminating:Wait"


def test_a_token_can_be_completed_once(side: Side) -> None:
    side.make(600)
    (instance_id,) = in_service(side)
    with pytest.raises(ClientError, match="No active Lifecycle Action found with token") as refused:
        complete(side, instance_id, "launch")
    assert code(refused) == "ValidationError"


@pytest.mark.parametrize(("default", "then"), [("CONTINUE", "InService"), ("ABANDON", "leaving")])
def test_a_hook_without_an_answer_ends_with_its_default(
    side: Side, default: str, then: str
) -> None:
    side.make(SHORTEST_S, default)
    scale(side, 1)
    (instance_id,) = side.waited(lambda: list(states(side)))

    def ended() -> bool:
        state = states(side).get(instance_id, "gone")
        return state == then or (then == "leaving" and not state.startswith("Pending"))

    side.waited(ended)


def test_a_heartbeat_restarts_the_hooks_time_and_needs_an_open_action(side: Side) -> None:
    side.make(600)
    (instance_id,) = in_service(side)
    named = {"AutoScalingGroupName": side.name, "LifecycleHookName": "terminate"}
    scale(side, 0)
    token = side.token(instance_id, "terminate")
    side.autoscaling.record_lifecycle_action_heartbeat(**named, LifecycleActionToken=token)
    complete(side, instance_id, "terminate")
    with pytest.raises(ClientError, match="No active Lifecycle Action") as refused:
        side.autoscaling.record_lifecycle_action_heartbeat(**named, LifecycleActionToken=token)
    assert code(refused) == "ValidationError"


def test_a_chosen_instance_is_replaced_at_once_or_the_group_is_one_smaller(side: Side) -> None:
    side.make(600)
    first, second = in_service(side, 2)
    terminate = side.autoscaling.terminate_instance_in_auto_scaling_group
    terminate(InstanceId=first, ShouldDecrementDesiredCapacity=False)
    side.waited(lambda: len(states(side)) == 3)
    terminate(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    assert sorted(states(side).values()) == ["Pending:Wait", "Terminating:Wait", "Terminating:Wait"]


@pytest.mark.parametrize("beyond", [-1, 5])
def test_a_capacity_beyond_the_groups_bounds_is_refused(side: Side, beyond: int) -> None:
    side.make(600)
    with pytest.raises(ClientError):
        scale(side, beyond)
    assert states(side) == {}


def test_an_instance_of_no_group_is_in_none_and_cannot_be_ended(side: Side) -> None:
    side.make(600)
    shown = side.autoscaling.describe_auto_scaling_instances(InstanceIds=["i-0123456789abcdef0"])
    assert shown["AutoScalingInstances"] == []
    with pytest.raises(ClientError) as refused:
        side.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId="i-0123456789abcdef0", ShouldDecrementDesiredCapacity=True
        )
    assert code(refused) == "ValidationError"


def test_hooks_are_described_with_their_times(side: Side) -> None:
    side.make(600)
    (hook,) = side.autoscaling.describe_lifecycle_hooks(
        AutoScalingGroupName=side.name, LifecycleHookNames=["launch"]
    )["LifecycleHooks"]
    assert (hook["HeartbeatTimeout"], hook["GlobalTimeout"]) == (600, 60_000)
    assert hook["LifecycleTransition"] == LAUNCHING


# The agents.

DOCUMENT = {
    "schemaVersion": "2.2",
    "description": "Says what it was given",
    "parameters": {
        "Word": {
            "type": "String",
            "allowedPattern": "^[a-z]+$",
            "default": "none",
            "interpolationType": "ENV_VAR",
        }
    },
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "run",
            "inputs": {"timeoutSeconds": "60", "runCommand": ['echo "$SSM_Word"']},
        }
    ],
}


class Agents:
    """An instance with an agent, and a document, of the emulator or of the simulation."""

    def __init__(self, emulator: RunningEmulator | None, name: str) -> None:
        self.name = name
        self.reported: list[Any] = []
        if emulator is None:
            self.time = VirtualTime()
            self.ssm: Any = SsmTwin(
                self.time,
                {name: DOCUMENT},
                lambda _, _script, given: (0, given["SSM_Word"] + "\n"),
                lambda _: 1.0,
                self.reported.append,
            )
            self.instance_id = "i-0123456789abcdef0"
            self.ssm.machines[self.instance_id] = Machine(self.instance_id, online=True)
            return
        self.time = None  # type: ignore[assignment]
        self.ssm = emulator.client("ssm")
        self.ssm.create_document(
            Name=name, DocumentType="Command", Content=json.dumps(DOCUMENT), DocumentFormat="JSON"
        )
        ran = emulator.client("ec2").run_instances(
            ImageId="ami-12345678",
            InstanceType="t3.medium",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "labswarm:role", "Value": "worker"}],
                }
            ],
        )
        self.instance_id = ran["Instances"][0]["InstanceId"]
        self.waited(self.online)

    @property
    def unseen(self) -> type[Exception]:
        """The error of an invocation that is not there yet."""
        return ClientError if self.time else self.ssm.exceptions.InvocationDoesNotExist

    def online(self) -> bool:
        listed = self.ssm.describe_instance_information(
            Filters=[{"Key": "InstanceIds", "Values": [self.instance_id]}]
        )["InstanceInformationList"]
        return bool(listed) and listed[0]["PingStatus"] == "Online"

    def waited(self, seen: Callable[[], Any]) -> Any:
        if self.time is None:
            return eventually(seen, within_s=60)
        assert self.time.run_until(lambda: bool(seen()), 60)
        return seen()

    def send(self, instance_id: str = "", document: str = "", **parameters: str) -> str:
        sent = self.ssm.send_command(
            InstanceIds=[instance_id or self.instance_id],
            DocumentName=document or self.name,
            Parameters={name: [value] for name, value in parameters.items()},
            Comment=f"label of {self.name}",
            TimeoutSeconds=30,
        )
        return str(sent["Command"]["CommandId"])

    def invocation(self, command_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.ssm.get_command_invocation(
            CommandId=command_id, InstanceId=self.instance_id
        )
        return answer


@pytest.fixture(params=["emulator", "simulation"])
def agents(
    request: pytest.FixtureRequest, emulator: RunningEmulator, name: str
) -> Iterator[Agents]:
    made = Agents(emulator if request.param == "emulator" else None, name)
    yield made
    if request.param == "emulator":
        emulator.client("ec2").terminate_instances(InstanceIds=[made.instance_id])
    else:
        made.time.close()


@pytest.mark.parametrize(("given", "said"), [({"Word": "hello"}, "hello"), ({}, "none")])
def test_a_document_runs_with_its_parameters_as_environment(
    agents: Agents, given: dict[str, str], said: str
) -> None:
    command_id = agents.send(**given)

    def ended() -> bool:
        try:
            return str(agents.invocation(command_id)["Status"]) == "Success"
        except agents.unseen:
            return False

    agents.waited(ended)
    invocation = agents.invocation(command_id)
    assert invocation["StandardOutputContent"] == said + "\n"
    assert (invocation["ResponseCode"], invocation["StatusDetails"]) == (0, "Success")
    pages = agents.ssm.get_paginator("list_commands").paginate(
        InstanceId=agents.instance_id,
        Filters=[
            {"key": "InvokedAfter", "value": "2020-01-01T00:00:00Z"},
            {"key": "DocumentName", "value": agents.name},
        ],
    )
    listed = {one["CommandId"]: one["Comment"] for page in pages for one in page["Commands"]}
    assert listed[command_id] == f"label of {agents.name}"


def test_an_invocation_of_the_simulation_is_not_there_at_once(name: str) -> None:
    """The emulator does the same: test_ssm.py shows it, with a clock that leaves time to see it."""
    agents = Agents(None, name)
    with pytest.raises(ClientError) as refused:
        agents.invocation(agents.send())
    assert code(refused) == "InvocationDoesNotExist"
    agents.time.close()


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        ({"instance_id": "i-0fffffffffffffff0"}, "InvalidInstanceId"),
        ({"document": "labswarm-no-such-document"}, "InvalidDocument"),
        ({"Word": "NOT ALLOWED"}, "InvalidParameters"),
        ({"Nothing": "known"}, "InvalidParameters"),
    ],
)
def test_an_unsupported_target_is_refused_by_name(
    agents: Agents, sent: dict[str, str], refusal: str
) -> None:
    with pytest.raises(ClientError) as refused:
        agents.send(**sent)
    assert code(refused) == refusal
