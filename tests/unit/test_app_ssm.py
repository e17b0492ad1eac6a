"""The adapters to Systems Manager and Step Functions, against answers as AWS gives them."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from tests.support.app_twins import DESCRIPTION, INSTANCE, MANAGER, OWNER

from labswarm.aws.agent import DELIVERY_TIMEOUT_S, SsmAgent, pause_s
from labswarm.aws.cluster import SsmClusters
from labswarm.aws.errors import named
from labswarm.aws.executions import StepFunctionsExecutions
from labswarm.aws.wiring import Wiring
from labswarm.commands.agent import Invocation
from labswarm.errors import BadInput, LabswarmError, Permanent, Throttled, Transient

COMMAND = "4c1c5b2e-2f0e-4c55-9f3c-0a1b2c3d4e5f"
PARAMETER = "/labswarm/clusters/lab"
BOTH = {"Names": [PARAMETER, f"{PARAMETER}/applied"]}


@dataclass
class Stubbed:
    client: Any
    stub: Stubber


def stubbed(service: str) -> Iterator[Stubbed]:
    client = boto3.client(  # type: ignore[call-overload]  # the service is a variable
        service,
        "eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with Stubber(client) as stub:
        yield Stubbed(client, stub)
        stub.assert_no_pending_responses()


@pytest.fixture
def ssm() -> Iterator[Stubbed]:
    yield from stubbed("ssm")


@pytest.fixture
def states() -> Iterator[Stubbed]:
    yield from stubbed("stepfunctions")


@pytest.mark.parametrize(
    ("nodes", "online"),
    [
        ([], False),
        ([{"InstanceId": INSTANCE, "PingStatus": "Online"}], True),
    ],
)
def test_an_agent_is_online_when_it_is_registered_and_answers(
    ssm: Stubbed, nodes: list[dict[str, str]], online: bool
) -> None:
    ssm.stub.add_response(
        "describe_instance_information",
        {"InstanceInformationList": nodes},
        {
            "Filters": [
                {"Key": "PingStatus", "Values": ["Online"]},
                {"Key": "InstanceIds", "Values": [INSTANCE]},
            ],
            "MaxResults": 50,
        },
    )

    assert SsmAgent(ssm.client).online([INSTANCE]) == ({INSTANCE} if online else set())


def test_fifty_agents_are_looked_at_in_one_call(ssm: Stubbed) -> None:
    instances = [f"i-{number:017x}" for number in range(51)]
    for some in (instances[:50], instances[50:]):
        ssm.stub.add_response(
            "describe_instance_information",
            {"InstanceInformationList": [{"InstanceId": some[0]}]},
            {
                "Filters": [
                    {"Key": "PingStatus", "Values": ["Online"]},
                    {"Key": "InstanceIds", "Values": some},
                ],
                "MaxResults": 50,
            },
        )

    assert SsmAgent(ssm.client).online(instances[::-1]) == {instances[0], instances[50]}


def test_a_command_is_sent_to_one_instance_with_a_delivery_timeout(ssm: Stubbed) -> None:
    ssm.stub.add_response(
        "send_command",
        {"Command": {"CommandId": COMMAND}},
        {
            "InstanceIds": [MANAGER],
            "DocumentName": "labswarm-manager-pause",
            "Parameters": {"Instance": [INSTANCE]},
            "Comment": "label",
            "TimeoutSeconds": DELIVERY_TIMEOUT_S,
        },
    )

    sent = SsmAgent(ssm.client).send(
        MANAGER, "labswarm-manager-pause", {"Instance": INSTANCE}, "label"
    )

    assert sent == COMMAND


PAUSE = "labswarm-manager-pause"
LISTED = {
    "InstanceId": MANAGER,
    "Filters": [
        {"key": "InvokedAfter", "value": "2027-01-15T08:00:00Z"},
        {"key": "DocumentName", "value": PAUSE},
    ],
    "MaxResults": 50,
}


def test_a_command_is_found_by_its_label_on_any_page(ssm: Stubbed) -> None:
    ssm.stub.add_response(
        "list_commands",
        {"Commands": [{"CommandId": "0" * 36, "Comment": "another"}], "NextToken": "more"},
        LISTED,
    )
    ssm.stub.add_response(
        "list_commands",
        {"Commands": [{"CommandId": COMMAND, "Comment": "label"}]},
        {**LISTED, "NextToken": "more"},
    )

    assert SsmAgent(ssm.client).find(MANAGER, PAUSE, "label", 1_800_000_000) == COMMAND


def test_a_command_that_was_never_sent_is_not_found(ssm: Stubbed) -> None:
    ssm.stub.add_response("list_commands", {"Commands": []}, LISTED)

    assert SsmAgent(ssm.client).find(MANAGER, PAUSE, "label", 1_800_000_000) is None


def test_an_invocation_is_read_as_it_is_reported(ssm: Stubbed) -> None:
    ssm.stub.add_response(
        "get_command_invocation",
        {
            "Status": "Failed",
            "StatusDetails": "Failed",
            "ResponseCode": 75,
            "StandardOutputContent": "{}",
            "StandardErrorContent": "why",
        },
        {"CommandId": COMMAND, "InstanceId": INSTANCE},
    )

    read = SsmAgent(ssm.client).invocation(COMMAND, INSTANCE)

    assert read == Invocation("Failed", "Failed", 75, "{}", "why")


def test_boto3_looks_again_for_some_seconds_at_a_command_that_ssm_does_not_know_yet() -> None:
    unknown = (None, {"Error": {"Code": "InvocationDoesNotExist"}})
    pauses = [pause_s(unknown, attempt) for attempt in range(1, 8)]

    assert pauses[-1] is None
    assert 2 < sum(filter(None, pauses)) < 3
    assert pause_s((None, {"Error": {"Code": "ThrottlingException"}}), 1) is None
    assert pause_s((None, {"Status": "Success"}), 1) is None
    assert pause_s(None, 1, caught_exception=OSError()) is None


class Raw(io.BytesIO):
    """An answer's body as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def test_the_agent_of_events_looks_again_at_a_command_that_ssm_does_not_know_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SSM's event may come before SSM knows its command."""
    unknown = (400, {"__type": "InvocationDoesNotExist"})
    known = (200, {"Status": "Success", "ResponseCode": 0, "StandardOutputContent": "{}"})
    answers = [unknown, unknown, known]

    def answer(request: Any, **_: object) -> AWSResponse:
        status, body = answers.pop(0)
        return AWSResponse(request.url, status, HTTPHeaders(), Raw(json.dumps(body).encode()))

    session = boto3.Session("x", "x", region_name="eu-west-1")
    session.events.register(
        "before-send.ssm.GetCommandInvocation",
        answer,  # type: ignore[arg-type]  # the stubs do not say that a handler may answer
    )
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)

    invocation = Wiring().agent_of_events().invocation(COMMAND, INSTANCE)

    assert invocation is not None
    assert invocation.status == "Success"


def test_an_invocation_that_is_not_there_yet_is_not_known(ssm: Stubbed) -> None:
    ssm.stub.add_client_error("get_command_invocation", "InvocationDoesNotExist")

    assert SsmAgent(ssm.client).invocation(COMMAND, INSTANCE) is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidInstanceId", Transient),
        ("ThrottlingException", Throttled),
        ("InvalidDocument", Permanent),
        ("AccessDeniedException", Permanent),
        ("NeverSeenBefore", Transient),
    ],
)
def test_a_refused_command_is_an_error_of_its_kind(
    ssm: Stubbed, code: str, kind: type[LabswarmError]
) -> None:
    ssm.stub.add_client_error("send_command", code)

    with pytest.raises(kind, match=code):
        SsmAgent(ssm.client).send(INSTANCE, "labswarm-node-join", {}, "label")


def test_an_aws_that_is_not_reached_is_transient() -> None:
    with pytest.raises(Transient, match=r"https://ssm\.example"), named():
        raise EndpointConnectionError(endpoint_url="https://ssm.example")


def test_a_cluster_is_read_from_its_parameter(ssm: Stubbed) -> None:
    ssm.stub.add_response(
        "get_parameters",
        {"Parameters": [{"Name": PARAMETER, "Value": json.dumps(DESCRIPTION)}]},
        BOTH,
    )

    assert SsmClusters(ssm.client).read_cluster("lab").manager == MANAGER


def test_a_cluster_without_a_parameter_is_named(ssm: Stubbed) -> None:
    ssm.stub.add_response("get_parameters", {"Parameters": []}, BOTH)

    with pytest.raises(BadInput, match="/labswarm/clusters/lab") as refused:
        SsmClusters(ssm.client).read_cluster("lab")

    assert refused.value.field == "cluster"


@pytest.mark.parametrize(("status", "runs"), [("RUNNING", True), ("FAILED", False)])
def test_an_execution_runs_until_it_has_ended(states: Stubbed, status: str, runs: bool) -> None:
    states.stub.add_response(
        "describe_execution",
        {
            "executionArn": OWNER,
            "stateMachineArn": OWNER,
            "status": status,
            "startDate": "2026-11-03",
        },
        {"executionArn": OWNER},
    )

    assert StepFunctionsExecutions(states.client).runs(OWNER) is runs


def test_an_execution_that_is_not_there_runs_no_more(states: Stubbed) -> None:
    states.stub.add_client_error("describe_execution", "ExecutionDoesNotExist")

    assert StepFunctionsExecutions(states.client).runs(OWNER) is False


def test_an_execution_that_cannot_be_asked_for_is_not_taken_for_dead(states: Stubbed) -> None:
    states.stub.add_client_error("describe_execution", "ThrottlingException")

    with pytest.raises(Transient):
        StepFunctionsExecutions(states.client).runs(OWNER)
