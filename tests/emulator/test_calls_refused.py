"""Denials and throttling at run time: each service refuses in its own words, until it is over."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator, eventually
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from labswarm.aws.errors import classified
from labswarm.errors import Permanent, Transient
from labswarm_emulator.actions import asked, known
from labswarm_emulator.faults import DenialFaults, NoFault, RateFaults, ThrottlingFaults

Switch = Callable[[str, Mapping[str, Any]], None]
# A call of each service and protocol; the code and status of its denial and of its throttling.
CALLS: list[tuple[str, str, str, dict[str, Any], str, int, str, int]] = [
    ("autoscaling", "autoscaling:DescribeAutoScalingGroups", "describe_auto_scaling_groups", {},
     "AccessDenied", 403, "Throttling", 400),
    ("ec2", "ec2:DescribeInstances", "describe_instances", {},
     "UnauthorizedOperation", 403, "RequestLimitExceeded", 503),
    ("ssm", "ssm:SendCommand", "send_command", {"DocumentName": "any", "InstanceIds": ["i-0"]},
     "AccessDeniedException", 400, "ThrottlingException", 400),
    ("dynamodb", "dynamodb:ListTables", "list_tables", {},
     "AccessDeniedException", 400, "ThrottlingException", 400),
    ("stepfunctions", "states:ListStateMachines", "list_state_machines", {},
     "AccessDeniedException", 400, "ThrottlingException", 400),
    ("kms", "kms:ListKeys", "list_keys", {},
     "AccessDeniedException", 400, "ThrottlingException", 400),
    ("secretsmanager", "secretsmanager:ListSecrets", "list_secrets", {},
     "AccessDeniedException", 400, "ThrottlingException", 400),
    ("events", "events:ListRules", "list_rules", {},
     "AccessDeniedException", 400, "ThrottlingException", 400),
    ("sqs", "sqs:ListQueues", "list_queues", {},
     "AccessDeniedException", 400, "RequestThrottled", 400),
    ("sns", "sns:ListTopics", "list_topics", {}, "AuthorizationError", 403, "Throttling", 400),
    ("cloudwatch", "cloudwatch:DescribeAlarms", "describe_alarms", {},
     "AccessDenied", 403, "Throttling", 400),
    ("lambda", "lambda:InvokeFunction", "invoke", {"FunctionName": "any"},
     "AccessDeniedException", 403, "TooManyRequestsException", 429),
    ("scheduler", "scheduler:ListSchedules", "list_schedules", {},
     "AccessDeniedException", 403, "ThrottlingException", 429),
    ("s3", "s3:GetObject", "get_object", {"Bucket": "any-bucket", "Key": "a/b"},
     "AccessDenied", 403, "SlowDown", 503),
]  # fmt: skip


@pytest.fixture
def switch(emulator: RunningEmulator) -> Iterator[Switch]:
    """Switches a kind of fault on; all are off again after the test."""
    control = f"{emulator.url}/_emulator/faults"

    def on(kind: str, settings: Mapping[str, Any]) -> None:
        answer = urllib3.request("PUT", f"{control}/{kind}", json=settings, timeout=10)
        assert answer.status == 200, answer.data

    yield on
    urllib3.request("DELETE", control, timeout=10)


@pytest.fixture(scope="module")
def once(emulator: RunningEmulator) -> Callable[[str], Any]:
    """Clients that try a call once."""
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = boto3.client(  # type: ignore[call-overload]  # a variable here
                service,
                region_name="eu-west-1",
                endpoint_url=emulator.url,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=10),
            )
        return clients[service]

    return client


def refused(call: Callable[..., Any], given: Mapping[str, Any]) -> ClientError:
    with pytest.raises(ClientError) as refusal:
        call(**given)
    return refusal.value


def seen(error: ClientError) -> tuple[str, int]:
    answer: Any = error.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def code_of_answer(call: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """The code of the error that a call ends with, such as that there is no bucket; or none."""
    try:
        call(**given)
    except ClientError as error:
        return seen(error)[0]
    return ""


@pytest.mark.emulator
@pytest.mark.aws(
    "IAM",
    "denials",
    "A denied call is refused with the service's own code and status, and its retry as well.",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
)
@pytest.mark.differs(
    "IAM",
    "permissions",
    "Roles and policies are kept, not enforced; `PUT /_emulator/faults/denials` denies an action.",
    "A static test compares the calls of each role with its grants.",
)
@pytest.mark.parametrize("case", CALLS, ids=lambda case: case[1])
def test_a_denied_action_is_refused_as_its_service_does(
    switch: Switch, once: Callable[[str], Any], case: tuple[Any, ...]
) -> None:
    service, action, method, given, code, status, *_ = case
    switch("denials", {"actions": [action]})

    for _ in range(2):
        error = refused(getattr(once(service), method), given)
        assert seen(error) == (code, status)
        assert action in str(error)
    assert isinstance(classified(error), Permanent)


@pytest.mark.emulator
@pytest.mark.aws(
    "IAM",
    "throttling",
    "A throttled call is refused with the service's own code and status, which SDKs try again.",
    "https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html",
)
@pytest.mark.parametrize("case", CALLS, ids=lambda case: case[1])
def test_a_throttled_action_is_refused_n_times_and_then_answered(
    switch: Switch, once: Callable[[str], Any], case: tuple[Any, ...]
) -> None:
    service, action, method, given, *_, code, status = case
    call = getattr(once(service), method)
    switch("throttling", {"calls": {action: 2}})

    errors = [refused(call, given) for _ in range(2)]

    assert [seen(error) for error in errors] == [(code, status)] * 2
    assert isinstance(classified(errors[0]), Transient)
    assert code_of_answer(call, given) != code


@pytest.mark.emulator
@pytest.mark.aws(
    "IAM",
    "throttling",
    "An action has a token bucket of its own: calls above its rate are throttled, and taken again "
    "when it has refilled.",
    "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html",
)
def test_an_action_above_its_rate_is_throttled_and_answered_again_later(
    switch: Switch, once: Callable[[str], Any]
) -> None:
    kms = once("kms")
    # 20 times as fast as AWS: the token that is left comes back after 5 s.
    switch("rates", {"calls_per_s": {"kms:ListKeys": 0.01}})

    kms.list_keys()

    assert seen(refused(kms.list_keys, {})) == ("ThrottlingException", 400)
    assert kms.list_aliases()["Aliases"] is not None
    eventually(lambda: code_of_answer(kms.list_keys, {}) == "", within_s=60)


def test_a_bucket_holds_one_second_of_calls_and_refills_at_the_rate() -> None:
    rates = RateFaults(calls_per_s={"ssm:*": 10})

    def taken(at_s: float, calls: int = 100, action: str = "ssm:SendCommand") -> int:
        return sum(not rates.throttles(action, at_s) for _ in range(calls))

    assert taken(0.0) == 10
    assert taken(0.0, action="ssm:ListCommands") == 10
    assert taken(0.5) == 5
    assert taken(0.55) == 0
    assert taken(60.0) == 10
    assert not rates.throttles("ec2:RunInstances", 60.0)


@pytest.mark.parametrize("rate", [0, -1, "10", True, None, float("nan"), float("inf")])
def test_a_rate_that_is_no_number_above_0_is_refused(rate: Any) -> None:
    with pytest.raises(NoFault, match=r"rates\.calls_per_s\.ssm:SendCommand is a number of calls"):
        RateFaults(calls_per_s={"ssm:SendCommand": rate})


@pytest.mark.emulator
def test_an_sdk_waits_out_a_throttle_by_itself(emulator: RunningEmulator, switch: Switch) -> None:
    switch("throttling", {"calls": {"kms:ListKeys": 1}})

    answer = emulator.client("kms").list_keys()

    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert emulator.recorded("faults", what="throttled", action="kms:ListKeys")


@pytest.mark.emulator
def test_other_actions_are_answered_meanwhile(
    switch: Switch, once: Callable[[str], Any], name: str
) -> None:
    switch("denials", {"actions": ["secretsmanager:GetSecret*"]})
    secrets = once("secretsmanager")

    secrets.create_secret(Name=name, SecretString="kept")

    assert seen(refused(secrets.get_secret_value, {"SecretId": name}))[0] == "AccessDeniedException"
    assert secrets.describe_secret(SecretId=name)["Name"] == name


@pytest.mark.parametrize(
    ("service", "method", "path", "headers", "action"),
    [
        ("s3", "GET", "/bucket/some/key", {}, "s3:GetObject"),
        ("s3", "HEAD", "/bucket/some/key", {}, "s3:GetObject"),
        ("s3", "PUT", "/bucket/some/key", {}, "s3:PutObject"),
        ("s3", "PUT", "/bucket/k?partNumber=1&uploadId=x", {}, "s3:PutObject"),
        ("s3", "GET", "/bucket/k?acl", {}, "s3:GetObjectAcl"),
        ("s3", "GET", "/bucket?list-type=2&prefix=x", {}, "s3:ListBucket"),
        ("s3", "PUT", "/bucket", {}, "s3:CreateBucket"),
        ("s3", "PUT", "/bucket?policy", {}, "s3:PutBucketPolicy"),
        ("s3", "GET", "/", {}, "s3:ListAllMyBuckets"),
        ("lambda", "POST", "/2015-03-31/functions/x/invocations", {}, "lambda:InvokeFunction"),
        ("states", "POST", "/", {"X-Amz-Target": "AWSStepFunctions.StartExecution"},
         "states:StartExecution"),
        ("monitoring", "POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", {},
         "cloudwatch:PutMetricData"),
        ("ec2", "GET", "/?Action=RunInstances", {}, "ec2:RunInstances"),
    ],
)  # fmt: skip
def test_a_requests_action_is_read_by_the_services_models(
    service: str, method: str, path: str, headers: dict[str, str], action: str
) -> None:
    signed = f"AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/{service}/aws4_request, Sig=x"
    request = Request(
        EnvironBuilder(
            path, method=method, headers=Headers({**headers, "Authorization": signed})
        ).get_environ()
    )

    found = asked(request)

    assert found is not None
    assert found.action == action
    assert action in known()


def test_an_unsigned_request_has_no_action() -> None:
    assert asked(Request(EnvironBuilder("/latest/meta-data/").get_environ())) is None


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (DenialFaults, {"actions": ["ssm:SendComand"]}, "'ssm:SendComand': an action is like"),
        (DenialFaults, {"actions": "ssm:*"}, "denials.actions is a list of texts"),
        (ThrottlingFaults, {"calls": {"ssm:SendCommand": 0}}, "is a count from 1, not 0"),
        (ThrottlingFaults, {"calls": ["ssm:SendCommand"]}, "is a number for each action"),
        (ThrottlingFaults, {"calls": {"nobody:Any": 1}}, "'nobody:Any': an action is like"),
    ],
)
def test_a_refusal_that_cannot_be_is_refused(kind: Any, settings: Any, said: str) -> None:
    with pytest.raises(NoFault, match=said.replace("[", r"\[")):
        kind(**settings)
