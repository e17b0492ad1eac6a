"""Functions that Lambda does not invoke now: idle for weeks, or above the account's concurrency."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.support.lambda_functions import SOURCE, create, invoke
from tests.support.running_emulator import RunningEmulator, eventually

from labswarm_emulator.faults import ConcurrencyFaults, IdleFaults, NoFault

PENDING_S = 60.0
"""3 s on this emulator, which is 20 times as fast as AWS."""


@pytest.fixture
def switch(emulator: RunningEmulator) -> Iterator[Callable[..., None]]:
    """Switches a kind of fault on; it is off again after the test."""
    on: set[str] = set()

    def put(kind: str, **settings: Any) -> None:
        url = f"{emulator.url}/_emulator/faults/{kind}"
        answer = urllib3.request("PUT", url, json=settings, timeout=10)
        assert answer.status == 200, answer.data
        on.add(kind)

    yield put
    for kind in on:
        urllib3.request("DELETE", f"{emulator.url}/_emulator/faults/{kind}", timeout=10)


@pytest.fixture(scope="module")
def connected(emulator: RunningEmulator) -> str:
    """A function with a VPC; its name."""
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="of-a-function", Description="-", VpcId=vpc)
    network = {"SubnetIds": [subnet], "SecurityGroupIds": [group["GroupId"]]}
    return create(emulator, SOURCE, VpcConfig=network).rpartition(":")[2]


def refused(emulator: RunningEmulator, function: str) -> tuple[str, int] | None:
    """The code and status of an invocation that is tried once; None if it was answered."""
    lambda_ = boto3.client(
        "lambda",
        region_name="eu-west-1",
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        lambda_.invoke(FunctionName=function, Payload=json.dumps({"do": "who"}))
    except ClientError as error:
        answer: Any = error.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
    return None


def reserved(emulator: RunningEmulator) -> int:
    """The places that functions of other tests keep for themselves."""
    lambda_ = emulator.client("lambda")
    names = [
        function["FunctionName"]
        for page in lambda_.get_paginator("list_functions").paginate()
        for function in page["Functions"]
    ]
    kept = (lambda_.get_function_concurrency(FunctionName=name) for name in names)
    return sum(one.get("ReservedConcurrentExecutions", 0) for one in kept)


def state(emulator: RunningEmulator, function: str) -> tuple[str, str | None]:
    lambda_ = emulator.client("lambda")
    found = lambda_.get_function_configuration(FunctionName=function)
    return found["State"], found.get("StateReasonCode")


@pytest.mark.emulator
@pytest.mark.aws(
    "Lambda",
    "function states",
    "A VPC function that was idle for weeks is Inactive; its first invocation fails, it is Pending "
    "while its invocations fail, and then it is Active.",
    "https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html",
)
def test_an_inactive_function_fails_its_first_invocations_until_it_is_connected_again(
    emulator: RunningEmulator, connected: str, switch: Callable[..., None]
) -> None:
    switch("idle", functions=[connected], pending_s=PENDING_S)
    assert state(emulator, connected) == ("Inactive", "Idle")

    assert refused(emulator, connected) == ("ResourceNotReadyException", 502)

    assert state(emulator, connected) == ("Pending", "Restoring")
    assert refused(emulator, connected) == ("ResourceConflictException", 409)
    eventually(lambda: state(emulator, connected) == ("Active", None), within_s=60)
    assert refused(emulator, connected) is None


@pytest.mark.emulator
def test_a_function_without_a_vpc_is_always_active(
    emulator: RunningEmulator, switch: Callable[..., None]
) -> None:
    function = create(emulator, SOURCE)
    switch("idle", functions=["*"])
    assert state(emulator, function) == ("Active", None)
    assert refused(emulator, function) is None


@pytest.mark.emulator
@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An asynchronous event for an Inactive function waits and is tried again.",
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html",
)
def test_an_asynchronous_event_waits_until_its_function_is_active(
    emulator: RunningEmulator, connected: str, switch: Callable[..., None], tmp_path: Path
) -> None:
    switch("idle", functions=[connected], pending_s=PENDING_S)
    done = tmp_path / "done"

    emulator.client("lambda").invoke(
        FunctionName=connected,
        InvocationType="Event",
        Payload=json.dumps({"do": "touch", "path": str(done)}),
    )

    eventually(done.exists, within_s=90)
    assert emulator.recorded("functions", what="inactive", function=connected)


@pytest.mark.emulator
@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "The account's concurrency can be lowered while it runs; above it invocations are throttled.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html",
)
def test_the_fault_lowers_the_accounts_concurrency(
    emulator: RunningEmulator, switch: Callable[..., None], tmp_path: Path
) -> None:
    busy, other = create(emulator, SOURCE), create(emulator, SOURCE)
    switch("concurrency", account=reserved(emulator) + 1)
    began = tmp_path / "began"
    asked = {"do": "sleep", "seconds": 2, "began": str(began)}
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(invoke, emulator, busy, asked)
        # Not before: a look of this test would take the only place itself.
        eventually(lambda: began.exists() or work.done(), within_s=90)
        seen = refused(emulator, other)
        assert work.result().error is None
    assert seen == ("TooManyRequestsException", 429)
    eventually(lambda: refused(emulator, other) is None)


def test_each_function_is_connected_by_its_own_first_invocation() -> None:
    idle = IdleFaults(functions=("*",), pending_s=90)
    assert idle.invoked("a", 0) == "Inactive"
    assert [idle.state("a", at) for at in (0, 89, 90)] == ["Pending", "Pending", "Active"]
    assert idle.invoked("b", 100) == "Inactive"
    assert idle.invoked("a", 1000) == "Active"


def test_a_limit_never_raises_the_accounts_own() -> None:
    assert ConcurrencyFaults(account=10).limit(1000) == 10
    assert ConcurrencyFaults(account=5000).limit(1000) == 1000
    assert ConcurrencyFaults().limit(1000) == 1000


@pytest.mark.parametrize("account", [0, -1, 1.5, True, "10"])
def test_a_limit_that_is_no_whole_number_from_1_is_refused(account: Any) -> None:
    with pytest.raises(NoFault, match=r"concurrency\.account is a whole number from 1, not "):
        ConcurrencyFaults(account=account)
