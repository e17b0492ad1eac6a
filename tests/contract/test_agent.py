"""Commands to instances: the twin and AWS Systems Manager do the same."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
import pytest
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.ssm_commands import ABSENT, make_document, over, start_online, terminate
from tests.twins.agent import TwinAgent

from labswarm.aws.agent import SsmAgent, until_known
from labswarm.aws.environment import AWS
from labswarm.commands.agent import Agent
from labswarm.errors import Permanent

INSTANCE = "i-00000000000000001"


@dataclass(frozen=True)
class Online:
    """An instance that is online, a document that answers {"ok": true}, and its end."""

    agent: Agent
    instance: str
    document: str
    finish: Callable[[str], object]


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def online(request: pytest.FixtureRequest, name: str) -> Iterator[Online]:
    if request.param == "twin":
        twin = TwinAgent(offline={ABSENT})
        yield Online(twin, INSTANCE, name, lambda command: twin.ends(command, {"ok": True}))
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    instance = start_online(emulator)
    make_document(emulator, name, """echo '{"ok": true}'""")
    agent = SsmAgent(emulator.client("ssm"))
    yield Online(agent, instance, name, lambda command: over(emulator, command, instance))
    terminate(emulator, instance)


def sent(online: Online, label: str = "step 1") -> str:
    return online.agent.send(online.instance, online.document, {}, label)


def found(
    online: Online, label: str, instance: str | None = None, document: str | None = None
) -> str | None:
    """The command that was sent in the last hour."""
    since = time.time() - 3600
    return online.agent.find(instance or online.instance, document or online.document, label, since)


def test_an_agent_is_online_or_not(online: Online) -> None:
    sent(online)
    assert online.agent.online([online.instance, ABSENT]) == {online.instance}
    assert online.agent.online([ABSENT]) == online.agent.online([]) == frozenset()
    everyone = online.agent.all_online()
    assert online.instance in everyone
    assert ABSENT not in everyone


def test_a_command_is_found_by_its_label_on_its_instance_only(online: Online) -> None:
    command = sent(online)
    # AWS lists a command a moment after SendCommand has returned.
    assert eventually(lambda: found(online, "step 1")) == command
    assert found(online, "step 2") is None
    assert found(online, "step 1", instance=ABSENT) is None
    assert found(online, "step 1", document="labswarm-manager-pause") is None


def test_a_command_that_has_ended_has_its_output(online: Online) -> None:
    command = sent(online)
    online.finish(command)
    invocation = online.agent.invocation(command, online.instance)
    assert invocation is not None
    assert (invocation.status, invocation.exit_code) == ("Success", 0)
    assert invocation.stdout.strip() == '{"ok": true}'


@pytest.mark.emulator
def test_an_agent_of_events_knows_a_command_that_was_just_sent(
    emulator: RunningEmulator, name: str
) -> None:
    """SSM's event may come before GetCommandInvocation knows the command."""
    instance = start_online(emulator)
    make_document(emulator, name, "true")
    client = boto3.Session("test", "test", region_name="eu-west-1").client(
        "ssm", endpoint_url=emulator.url, config=AWS
    )
    hasty, patient = SsmAgent(emulator.client("ssm")), SsmAgent(client)
    until_known(client)

    command = hasty.send(instance, name, {}, "label")

    assert hasty.invocation(command, instance) is None
    assert patient.invocation(command, instance) is not None
    terminate(emulator, instance)


def test_a_command_is_unknown_on_an_instance_that_it_was_not_sent_to(online: Online) -> None:
    assert online.agent.invocation(sent(online), ABSENT) is None


def test_a_label_longer_than_a_comment_is_refused(online: Online) -> None:
    with pytest.raises(Permanent):
        sent(online, "x" * 101)
