"""Systems Manager's Run Command on the emulator does what AWS's does."""

import functools
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.ssm_commands import (
    look,
    make_document,
    over,
    ping,
    refused,
    send,
    start_instance,
    start_online,
    terminate,
)

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def instance(emulator: RunningEmulator) -> Iterator[str]:
    """An instance that is online."""
    instance_id = start_online(emulator)
    yield instance_id
    terminate(emulator, instance_id)


@pytest.fixture
def document(emulator: RunningEmulator, name: str) -> Callable[..., str]:
    """Makes the test's document."""
    return functools.partial(make_document, emulator, name)


@pytest.mark.aws(
    "SSM",
    "DescribeInstanceInformation",
    "An agent is Online once its machine has booted, and ConnectionLost after its machine is gone.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html",
)
def test_given_a_new_instance_when_it_has_booted_then_its_agent_is_online_until_it_is_terminated(
    emulator: RunningEmulator,
) -> None:
    """PingStatus says whether the agent answers.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html
    """
    instance_id = start_online(emulator)
    terminate(emulator, instance_id)
    eventually(lambda: ping(emulator, instance_id) != "Online")
    eventually(lambda: emulator.recorded("ec2", what="ended", instance=instance_id))


@pytest.mark.aws(
    "SSM",
    "DescribeInstanceInformation",
    "A running instance whose machine has not booted is not listed.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-status-and-restart.html",
)
def test_given_an_instance_that_does_not_boot_then_it_runs_but_has_no_agent(
    emulator: RunningEmulator,
) -> None:
    """EC2's running is the virtual machine's state, not its agent's.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-status-and-restart.html
    """
    instance_id = start_instance(emulator, **{"labswarm:boot-fails": "yes"})
    eventually(lambda: emulator.recorded("ec2", what="boot failed", instance=instance_id))
    assert ping(emulator, instance_id) is None
    seen = emulator.client("ec2").describe_instances(InstanceIds=[instance_id])
    assert seen["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"


@pytest.mark.aws(
    "SSM",
    "DescribeInstanceInformation",
    "Agents come in pages of 5 to 50, each with a token for the next.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html",
)
def test_given_many_agents_when_they_are_listed_then_they_come_in_pages(
    emulator: RunningEmulator, instance: str
) -> None:
    """MaxResults is 5 to 50 and NextToken goes on.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
    """
    started = [start_instance(emulator) for _ in range(6)]
    eventually(lambda: all(ping(emulator, i) == "Online" for i in started))
    pages = emulator.client("ssm").get_paginator("describe_instance_information")
    listed = list(pages.paginate(PaginationConfig={"PageSize": 5}))
    assert len(listed) >= 2
    seen = {i["InstanceId"] for page in listed for i in page["InstanceInformationList"]}
    assert {instance, *started} <= seen
    terminate(emulator, *started)


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "Right after SendCommand the answer is InvocationDoesNotExist.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html",
)
def test_given_a_command_just_sent_when_asked_for_then_it_may_not_be_known_yet(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    """InvocationDoesNotExist right after SendCommand is normal (eventual consistency).

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
    """
    name = document("true")
    eventually(lambda: look(emulator, send(emulator, name, instance), instance) is None)
    command_id = send(emulator, name, instance)
    assert over(emulator, command_id, instance)["Status"] == "Success"


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "Exit code 0 is Success, any other is Failed with the code; both outputs are returned.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_an_ended_script_has_its_status_code_and_both_outputs(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    """Success is exit code 0; any other is Failed, with the code.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
    """
    name = document("echo printed; echo warned >&2; exit 75")
    found = over(emulator, send(emulator, name, instance), instance)
    assert (found["Status"], found["StatusDetails"], found["ResponseCode"]) == (
        "Failed",
        "Failed",
        75,
    )
    assert found["StandardOutputContent"] == "printed\n"
    assert found["StandardErrorContent"] == "warned\n"
    assert found["PluginName"] == "run"


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "A script runs with the machine's sh, and not with bash.",
    "https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/plugins/runscript/runshellscript.go",
)
def test_given_a_script_then_sh_runs_it(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    found = over(emulator, send(emulator, document('echo "$0"'), instance), instance)
    assert found["StandardOutputContent"] == "sh\n"


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "The first 24,000 characters of stdout and 8,000 of stderr are returned.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html",
)
def test_given_a_long_answer_then_it_is_cut(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    """The first 24,000 characters of stdout and 8,000 of stderr are returned.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
    """
    name = document("printf '%030000d' 0; printf '%09000d' 0 >&2")
    found = over(emulator, send(emulator, name, instance), instance)
    assert len(found["StandardOutputContent"]) == 24_000
    assert len(found["StandardErrorContent"]) == 8_000


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "With interpolationType ENV_VAR a value is in the environment and never shell text.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html",
)
@pytest.mark.parametrize("value", ["plain", "two words", "$(touch hit)", "`touch hit`; \"'"])
def test_given_an_env_var_parameter_then_its_value_is_environment_and_never_shell_text(
    emulator: RunningEmulator, instance: str, document: Callable[..., str], value: str
) -> None:
    """With interpolationType ENV_VAR the value is in SSM_<name>, and {{name}} refers to that.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
    """
    parameter = {"type": "String", "interpolationType": "ENV_VAR"}
    name = document('printf %s "$SSM_Word|{{ Word }}"; ls', {"Word": parameter})
    found = over(emulator, send(emulator, name, instance, Parameters={"Word": [value]}), instance)
    assert found["StandardOutputContent"] == f"{value}|{value}"


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "Without interpolationType a value is put into the script; a default fills in.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html",
)
def test_given_a_plain_parameter_then_its_value_is_put_into_the_script(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    """Without interpolationType {{name}} becomes the value itself; a default fills in.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
    """
    parameters = {"One": {"type": "String"}, "Two": {"type": "String", "default": "second"}}
    name = document("echo {{One}} {{ Two }}; printenv SSM_One || true", parameters)
    found = over(emulator, send(emulator, name, instance, Parameters={"One": ["first"]}), instance)
    assert found["StandardOutputContent"] == "first second\n"


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "A parameter that is missing, unknown or against its pattern is InvalidParameters.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html",
)
@pytest.mark.parametrize(
    "given",
    [{}, {"Id": ["x"], "Other": ["y"]}, {"Id": ["not allowed"]}, {"Id": ["a", "b"]}],
    ids=["missing", "unknown", "against-its-pattern", "two-values"],
)
def test_given_parameters_that_the_document_does_not_allow_then_the_command_is_refused(
    emulator: RunningEmulator,
    instance: str,
    document: Callable[..., str],
    given: dict[str, list[str]],
) -> None:
    """InvalidParameters, and nothing is sent.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
    """
    name = document("true", {"Id": {"type": "String", "allowedPattern": "^[a-z]+$"}})
    with refused("InvalidParameters"):
        send(emulator, name, instance, Parameters=given)
    assert not emulator.recorded("ssm", what="sent", document=name)


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "An unknown document or instance is refused, and so are more than 50 instances.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html",
)
def test_given_targets_that_cannot_be_commanded_then_the_command_is_refused(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    """InvalidDocument, InvalidInstanceId, and at most 50 instance ids in a call.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
    """
    name = document("true")
    with refused("InvalidDocument"):
        send(emulator, "no-such-document", instance)
    with refused("InvalidInstanceId"):
        send(emulator, name, instance, "i-0123456789abcdef0")
    with refused("ValidationException"):
        send(emulator, name, *(f"i-{number:017x}" for number in range(51)))


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "A terminated instance is InvalidInstanceId.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html",
)
def test_given_a_terminated_instance_then_no_command_can_be_sent_to_it(
    emulator: RunningEmulator, document: Callable[..., str]
) -> None:
    """Not in a valid state: InvalidInstanceId.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
    """
    name, instance_id = document("true"), start_online(emulator)
    terminate(emulator, instance_id)
    with refused("InvalidInstanceId"):
        send(emulator, name, instance_id)


@pytest.mark.aws(
    "SSM",
    "GetCommandInvocation",
    "A script beyond its timeoutSeconds is stopped: TimedOut, ExecutionTimedOut.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_given_a_script_beyond_the_documents_timeout_then_it_is_stopped(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    """The execution timeout is the document's timeoutSeconds: Execution Timed Out.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
    """
    name = document("sleep 60", timeout_s=5)
    found = over(emulator, send(emulator, name, instance), instance)
    assert (found["Status"], found["StatusDetails"]) == ("TimedOut", "ExecutionTimedOut")


@pytest.mark.aws(
    "SSM",
    "SendCommand",
    "An agent runs five commands at once; a sixth waits, and times out undelivered.",
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
)
def test_given_five_commands_at_work_then_a_sixth_waits_and_may_never_be_delivered(
    emulator: RunningEmulator, name: str, tmp_path: Path
) -> None:
    """An agent runs five commands at once; the delivery timeout ends what waits too long.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
    """
    instance_id = start_online(emulator)
    gate = tmp_path / "gate"
    opened = f"test -e {shlex.quote(str(gate))}"
    waiting = f"for _ in $(seq 400); do {opened} && exit 0; sleep 0.05; done; exit 1"
    make_document(emulator, name, waiting)
    brief = make_document(emulator, f"{name}-brief", waiting, timeout_s=30)
    busy = [send(emulator, name, instance_id) for _ in range(5)]
    eventually(lambda: len(emulator.recorded("ssm", what="InProgress", instance=instance_id)) == 5)
    waits = send(emulator, name, instance_id)
    late = send(emulator, brief, instance_id, TimeoutSeconds=30)
    cancelled = send(emulator, name, instance_id)
    emulator.client("ssm").cancel_command(CommandId=cancelled)
    assert over(emulator, cancelled, instance_id)["Status"] == "Cancelled"
    found = over(emulator, late, instance_id)
    assert (found["Status"], found["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    still = eventually(lambda: look(emulator, waits, instance_id))
    assert still is not None
    assert still["Status"] == "Pending"
    gate.touch()
    for command_id in (*busy, waits):
        assert over(emulator, command_id, instance_id)["Status"] == "Success"
    terminate(emulator, instance_id)


@pytest.mark.aws(
    "SSM",
    "ListCommandInvocations",
    "Each invocation has its status, and with Details its output.",
    "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html",
)
def test_given_commands_when_listed_then_each_has_its_status_and_output(
    emulator: RunningEmulator, instance: str, document: Callable[..., str]
) -> None:
    """ListCommands and ListCommandInvocations, with the plugins' output when Details is set.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html
    """
    command_id = send(emulator, document("echo listed"), instance)
    over(emulator, command_id, instance)
    ssm = emulator.client("ssm")
    listed = ssm.list_command_invocations(CommandId=command_id, Details=True)["CommandInvocations"]
    assert [(i["InstanceId"], i["Status"]) for i in listed] == [(instance, "Success")]
    assert listed[0]["CommandPlugins"][0]["Output"] == "listed\n"
    command = ssm.list_commands(CommandId=command_id)["Commands"][0]
    assert (command["Status"], command["CompletedCount"], command["ErrorCount"]) == (
        "Success",
        1,
        0,
    )
