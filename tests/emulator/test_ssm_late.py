"""Agents that register late and fall silent, with AWS's latencies, 50 times as fast."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator, eventually, running
from tests.support.ssm_commands import (
    look,
    make_document,
    over,
    ping,
    refused,
    send,
    start_instance,
    start_online,
    state,
    terminate,
)

from labswarm_emulator.emulator import Settings
from labswarm_emulator.latency import AWS

pytestmark = pytest.mark.emulator

SCALE = 0.02


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    folder = tmp_path_factory.mktemp("slow-emulator")
    settings = Settings("127.0.0.1", 0, folder, time_scale=SCALE, latency=AWS.name, seed=1)
    with running(settings) as emulator:
        yield emulator


@pytest.fixture
def instance(slow: RunningEmulator) -> Iterator[str]:
    """An instance that is online."""
    instance_id = start_online(slow)
    yield instance_id
    terminate(slow, instance_id)


def control(emulator: RunningEmulator, what: str, instance_id: str) -> None:
    answer = urllib3.request("POST", f"{emulator.url}/_emulator/{what}/{instance_id}", timeout=10)
    assert answer.status == 204, answer.data


def recorded_at(emulator: RunningEmulator, part: str, **fields: Any) -> float:
    (line,) = eventually(lambda: emulator.recorded(part, **fields))
    at: float = line["at"]
    return at


@pytest.mark.aws(
    "EC2",
    "RunInstances",
    "An instance is running long before its agent registers: 45 s with `--latency aws`.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-status-and-restart.html",
)
def test_an_agent_registers_when_its_machine_has_booted(
    slow: RunningEmulator, instance: str
) -> None:
    launched = recorded_at(slow, "ec2", what="boot", instance=instance)
    registered = recorded_at(slow, "ssm", what="Online", instance=instance)
    assert registered - launched >= 45 * SCALE


@pytest.mark.aws(
    "EC2",
    "TerminateInstances",
    "An instance that is terminated while it boots never has an agent.",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html",
)
def test_an_instance_that_is_terminated_while_it_boots_never_has_an_agent(
    slow: RunningEmulator,
) -> None:
    instance_id = start_instance(slow)
    terminate(slow, instance_id)
    eventually(lambda: slow.recorded("ec2", what="ended", instance=instance_id))
    assert not slow.recorded("ssm", instance=instance_id)
    assert ping(slow, instance_id) is None


@pytest.mark.aws(
    "SSM",
    "DescribeInstanceInformation",
    "An agent that falls silent is Online until its pings are missed, then ConnectionLost.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html",
)
def test_an_agent_is_online_for_a_while_after_it_fell_silent(
    slow: RunningEmulator, instance: str, name: str
) -> None:
    make_document(slow, name, "true")
    control(slow, "cut", instance)
    cut = recorded_at(slow, "network", what="cut", instance=instance)
    assert ping(slow, instance) == "Online"
    lost = recorded_at(slow, "ssm", what="ConnectionLost", instance=instance)
    assert lost - cut >= 300 * SCALE - 0.01
    assert ping(slow, instance) == "ConnectionLost"
    with refused("InvalidInstanceId"):
        send(slow, name, instance)
    control(slow, "heal", instance)
    assert ping(slow, instance) == "Online"
    assert over(slow, send(slow, name, instance), instance)["Status"] == "Success"


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "A command for an agent that does not answer is Delayed, and runs once it answers again.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_a_command_for_a_silent_agent_is_delayed_until_it_is_heard_of(
    slow: RunningEmulator, instance: str, name: str
) -> None:
    make_document(slow, name, "echo late")
    control(slow, "cut", instance)
    command_id = send(slow, name, instance)
    eventually(lambda: state(slow, command_id, instance) == ("Delayed", "Delayed"))
    (command,) = slow.client("ssm").list_commands(CommandId=command_id)["Commands"]
    assert (command["Status"], command["StatusDetails"]) == ("Pending", "Delayed")
    control(slow, "heal", instance)
    assert over(slow, command_id, instance)["StandardOutputContent"] == "late\n"


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "A command that no agent took in TimeoutSeconds never runs, and is TimedOut after both limits.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_a_delayed_command_times_out_and_is_not_run_later(
    slow: RunningEmulator, instance: str, name: str
) -> None:
    make_document(slow, name, "echo late", timeout_s=300)
    control(slow, "cut", instance)
    command_id = send(slow, name, instance, TimeoutSeconds=30)
    eventually(lambda: state(slow, command_id, instance) == ("Delayed", "Delayed"))
    found = over(slow, command_id, instance)
    assert (found["Status"], found["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    control(slow, "heal", instance)
    assert over(slow, send(slow, name, instance), instance)["Status"] == "Success"
    found = look(slow, command_id, instance) or {}
    assert found["StatusDetails"] == "DeliveryTimedOut"
    assert not slow.recorded("ssm", what="InProgress", command=command_id)


@pytest.mark.aws(
    "SSM",
    "DescribeInstanceInformation",
    "An agent that has never reached Systems Manager is not listed.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-status-and-restart.html",
)
def test_an_agent_that_was_cut_off_before_it_registered_is_not_listed_until_it_is_heard_of(
    slow: RunningEmulator,
) -> None:
    instance_id = start_instance(slow)
    control(slow, "cut", instance_id)
    folder = slow.settings.state_dir / "machines" / instance_id
    eventually(folder.exists)  # the machine has booted
    assert ping(slow, instance_id) is None
    control(slow, "heal", instance_id)
    eventually(lambda: ping(slow, instance_id) == "Online")
    terminate(slow, instance_id)


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "An agent takes a command up after a while: 2 s with `--latency aws`.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html",
)
def test_a_command_starts_some_time_after_it_was_sent(
    slow: RunningEmulator, instance: str, name: str
) -> None:
    make_document(slow, name, "true")
    command_id = send(slow, name, instance)
    over(slow, command_id, instance)
    sent = recorded_at(slow, "ssm", what="sent", command=command_id)
    begun = recorded_at(slow, "ssm", what="InProgress", command=command_id)
    assert begun - sent >= 2 * SCALE - 0.002


@pytest.mark.aws(
    "EventBridge",
    "delivery",
    "An event is delivered after a while: 1 s, 10 s for one in 100, with `--latency aws`.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is.html",
)
def test_an_event_arrives_some_time_after_it_was_put(slow: RunningEmulator, name: str) -> None:
    sqs, events = slow.client("sqs"), slow.client("events")
    sqs.create_queue(QueueName=name)
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    entries = [{"Source": name, "DetailType": "Sample", "Detail": "{}"}] * 5
    ids = [one["EventId"] for one in events.put_events(Entries=entries)["Entries"]]

    def waited() -> list[float]:
        ends = {line["event"]: line["at"] for line in slow.recorded("events", what="delivered")}
        begins = {line["event"]: line["at"] for line in slow.recorded("events", what="matched")}
        return sorted(ends[one] - begins[one] for one in ids if one in ends)

    delays = eventually(lambda: len(waited()) == 5 and waited())
    assert delays[0] > 0
    # Nothing else on this emulator draws; of five events from this seed the slowest takes over 1 s.
    assert delays[-1] >= SCALE
