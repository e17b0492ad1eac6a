"""Two deployments in one account, with different prefixes: neither sees the other's things."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from tests.support.app_twins import DESCRIPTION
from tests.support.app_twins import event as sample
from tests.support.running_emulator import RunningEmulator, eventually, running

from labswarm_emulator.emulator import Settings
from labswarm_lab import deploy

pytestmark = [pytest.mark.emulator, pytest.mark.deep, pytest.mark.timeout(0)]

# The longer one begins with the shorter one: only the hyphen after it makes the difference.
FIRST, SECOND = "labswarm", "labswarmtwo"
BUCKET = deploy.BUCKET


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An account with both apps, each with a cluster of its own."""
    settings = Settings(
        address="127.0.0.1",
        port=0,
        state_dir=tmp_path_factory.mktemp("emulator"),
        time_scale=0.05,
    )
    with running(settings) as emulator:
        emulator.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        built = deploy.build()
        for prefix in (FIRST, SECOND):
            deploy.deploy(built, emulator.url, prefix=prefix)
            name = f"{prefix}x"
            described = {**DESCRIPTION, "name": name, "asg": f"{prefix}-{name}-workers"}
            emulator.client("ssm").put_parameter(
                Name=f"/{prefix}/clusters/{name}", Type="String", Value=json.dumps(described)
            )
        yield emulator


def names(emulator: RunningEmulator) -> set[str]:
    """The names that the template gives, of both apps."""
    tables = emulator.client("dynamodb").list_tables()["TableNames"]
    functions = emulator.client("lambda").list_functions(MaxItems=200)["Functions"]
    machines = emulator.client("stepfunctions").list_state_machines()["stateMachines"]
    topics = emulator.client("sns").list_topics()["Topics"]
    groups = emulator.client("logs").describe_log_groups()["logGroups"]
    return {
        *tables,
        *(one["FunctionName"] for one in functions),
        *(one["name"] for one in machines),
        *(one["TopicArn"].rpartition(":")[2] for one in topics),
        *(one["logGroupName"] for one in groups),
    }


def executions(emulator: RunningEmulator, machine: str) -> list[dict[str, Any]]:
    client = emulator.client("stepfunctions")
    (arn,) = (
        one["stateMachineArn"]
        for one in client.list_state_machines()["stateMachines"]
        if one["name"] == machine
    )
    found: list[dict[str, Any]] = client.list_executions(stateMachineArn=arn)["executions"]
    return found


def put(emulator: RunningEmulator, event: dict[str, Any]) -> None:
    """AWS itself sends an event."""
    answer = urllib3.request("POST", f"{emulator.url}/_emulator/event", json=event)
    assert answer.status == 200, answer.data


def test_each_app_has_the_same_names_after_its_prefix(account: RunningEmulator) -> None:
    of_second = {name for name in names(account) if SECOND in name}
    of_first = names(account) - of_second

    assert {name.replace(SECOND, FIRST) for name in of_second} == of_first
    assert {"labswarm-ledger", "labswarm-claim", "/labswarm/functions"} <= of_first


@pytest.mark.parametrize(("whose", "other"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_an_event_of_a_group_starts_the_machine_of_its_own_app_only(
    account: RunningEmulator, whose: str, other: str
) -> None:
    event = sample("launch")
    detail = {**event["detail"], "AutoScalingGroupName": f"{whose}-{whose}x-workers"}
    before = {app: len(executions(account, f"{app}-node-launch")) for app in (whose, other)}

    put(account, {**event, "detail": detail})

    eventually(lambda: len(executions(account, f"{whose}-node-launch")) == before[whose] + 1)
    assert len(executions(account, f"{other}-node-launch")) == before[other]


@pytest.mark.parametrize("whose", [FIRST, SECOND])
def test_each_app_looks_at_its_own_clusters_only(account: RunningEmulator, whose: str) -> None:
    answer = account.client("lambda").invoke(
        FunctionName=f"{whose}-list-clusters",
        Payload=json.dumps({"given": {"cluster": None, "dry_run": True}}),
    )

    assert json.loads(answer["Payload"].read()) == {"clusters": [f"{whose}x"]}
