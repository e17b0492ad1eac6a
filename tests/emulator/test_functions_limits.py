"""A function's limits: memory, payload, concurrency, and the time of its start."""

import sys
import time
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
from tests.support.running_emulator import RunningEmulator, eventually, running

from labswarm_emulator.emulator import Settings
from labswarm_emulator.functions.processes import Processes
from labswarm_emulator.functions.worker import Limits, Worker

pytestmark = pytest.mark.emulator

MB = 2**20


@pytest.fixture(scope="module")
def function(emulator: RunningEmulator) -> str:
    """The ARN of a function that does what its event says."""
    return create(emulator, SOURCE)


def impatient(emulator: RunningEmulator) -> Any:
    """A client of Lambda that tries once."""
    return boto3.client(
        "lambda",
        region_name="eu-west-1",
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A function that uses more than its memory is killed: Runtime.OutOfMemory, signal: killed.",
    "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html",
)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
@pytest.mark.parametrize("seconds", [0, 600], ids=["and returns", "and keeps it"])
def test_a_function_that_uses_more_than_its_memory_is_killed(
    emulator: RunningEmulator, seconds: float
) -> None:
    arn = create(emulator, SOURCE, MemorySize=128, Timeout=900)
    assert invoke(emulator, arn, {"do": "allocate", "mb": 10}).error is None
    pid = invoke(emulator, arn, {"do": "who"}).answer["pid"]
    died = invoke(emulator, arn, {"do": "allocate", "mb": 200, "seconds": seconds})
    assert (died.error, died.answer["errorType"]) == ("Unhandled", "Runtime.OutOfMemory")
    assert died.answer["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert invoke(emulator, arn, {"do": "who"}).answer["pid"] != pid


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A request over 6 MB, or 1 MB for an asynchronous one, is RequestTooLargeException, 413.",
    "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html",
)
@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6 * MB), ("Event", MB)])
def test_a_request_that_is_too_large_is_refused(
    emulator: RunningEmulator, function: str, kind: str, limit: int
) -> None:
    def send(size: int) -> Any:
        payload = b'"' + b"x" * (size - 2) + b'"'
        return impatient(emulator).invoke(FunctionName=quiet, InvocationType=kind, Payload=payload)

    quiet = create(emulator, "def handler(event, context): return len(event)")
    with pytest.raises(ClientError) as refused:
        send(limit + 1)
    assert refused.value.response["Error"]["Code"] == "RequestTooLargeException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert send(limit)["StatusCode"] in (200, 202)
    eventually(
        lambda: emulator.recorded("functions", what="answered", function=quiet.rpartition(":")[2])
    )


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An answer over 6 MB is the function error Function.ResponseSizeTooLarge.",
    "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
)
def test_an_answer_that_is_too_large_is_an_error(emulator: RunningEmulator, function: str) -> None:
    large = invoke(emulator, function, {"do": "return", "size": 6 * MB + 101})
    assert (large.error, large.answer["errorType"]) == (
        "Unhandled",
        "Function.ResponseSizeTooLarge",
    )


@pytest.mark.differs(
    "Lambda",
    "Invoke",
    "An answer over 6,000,000 bytes is refused; AWS takes 6,291,556.",
    "moto's own limit; no answer of the app comes near it.",
)
def test_an_answer_just_under_the_limit_is_refused_too(
    emulator: RunningEmulator, function: str
) -> None:
    assert invoke(emulator, function, {"do": "return", "size": 5_900_000}).error is None
    refused = invoke(emulator, function, {"do": "return", "size": 6_100_000})
    assert refused.answer["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.differs(
    "Lambda",
    "Invoke",
    "More than 10 events of a function at once wait for a worker; on AWS they have one each.",
    "The functions' workers are processes of one machine.",
)
def test_more_events_than_workers_wait_for_one(emulator: RunningEmulator) -> None:
    arn = create(emulator, SOURCE)
    with ThreadPoolExecutor(12) as pool:
        event = {"do": "sleep", "seconds": 0.2}
        answers = list(pool.map(lambda _: invoke(emulator, arn, event).answer, range(12)))
    assert len({answer["pid"] for answer in answers}) <= 10


@pytest.mark.differs(
    "Lambda",
    "Invoke",
    "With LogType Tail the log that comes with the answer is empty.",
    "The functions' logs are files of the emulator; nothing in the app reads them from an answer.",
)
def test_no_log_comes_with_an_answer(emulator: RunningEmulator, function: str) -> None:
    response = emulator.client("lambda").invoke(FunctionName=function, LogType="Tail")
    assert response["LogResult"] == ""


@pytest.mark.absent(
    "Lambda",
    "invocation of a version or an alias, InvokeAsync",
    "ResourceNotFoundException, 404, which names the alternative",
)
def test_no_other_code_answers_for_a_version(emulator: RunningEmulator, function: str) -> None:
    lambda_ = emulator.client("lambda")
    name = function.rpartition(":")[2]
    version = lambda_.publish_version(FunctionName=function)["Version"]
    calls: list[Callable[[], Any]] = [
        lambda: lambda_.invoke(FunctionName=name, Qualifier="none-such"),
        lambda: lambda_.invoke(FunctionName=name, Qualifier=version),
        lambda: lambda_.invoke(FunctionName=f"{function}:{version}"),
        lambda: lambda_.invoke_async(FunctionName=name, InvokeArgs=b"{}"),
    ]
    for call in calls:
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException, match="the emulator"):
            call()
    assert lambda_.invoke(FunctionName=f"{function}:$LATEST")["StatusCode"] == 200
    assert lambda_.invoke(FunctionName=name, Qualifier="$LATEST")["StatusCode"] == 200


@pytest.mark.absent(
    "Lambda",
    "GetAccountSettings, provisioned concurrency, response streams",
    "404, not found",
)
@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("get_account_settings", {}),
        (
            "put_provisioned_concurrency_config",
            {"Qualifier": "1", "ProvisionedConcurrentExecutions": 1},
        ),
        ("invoke_with_response_stream", {}),
    ],
)
def test_a_missing_object_is_not_found(
    emulator: RunningEmulator, function: str, operation: str, more: dict[str, Any]
) -> None:
    named = {} if operation == "get_account_settings" else {"FunctionName": function}
    with pytest.raises(ClientError) as refused:
        getattr(impatient(emulator), operation)(**named, **more)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "DryRun is answered 204 and runs nothing; an unknown InvocationType is refused.",
    "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html",
)
def test_a_dry_run_runs_nothing(emulator: RunningEmulator) -> None:
    arn = create(emulator, SOURCE)
    lambda_ = impatient(emulator)
    assert lambda_.invoke(FunctionName=arn, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        lambda_.invoke(FunctionName=arn, InvocationType="Later")
    assert not emulator.recorded("functions", function=arn.rpartition(":")[2])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator whose account may run two events at once."""
    folder = tmp_path_factory.mktemp("small-emulator")
    settings = Settings("127.0.0.1", 0, folder, time_scale=0.05, function_concurrency=2)
    with running(settings) as emulator:
        yield emulator


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "Above the account's concurrency every function is throttled, whichever uses it up.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html",
)
def test_the_accounts_concurrency_is_shared_by_its_functions(
    small: RunningEmulator, tmp_path: Path
) -> None:
    source = """
import pathlib, time
def handler(event, context):
    print("at work", flush=True)
    while not pathlib.Path(event).exists():
        time.sleep(0.05)
"""
    other, busy = create(small, SOURCE), create(small, source, Timeout=900)
    log = small.settings.state_dir / "logs" / f"{busy.rpartition(':')[2]}.log"
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(invoke, small, busy, str(gate)) for _ in range(2)]
        try:
            eventually(lambda: log.exists() and log.read_text().count("at work") == 2)
            with pytest.raises(ClientError) as refused:
                impatient(small).invoke(FunctionName=other)
        finally:
            gate.touch()
        assert [one.result().error for one in work] == [None, None]
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    answer: Any = refused.value.response
    assert answer["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert invoke(small, other, {"do": "who"}).error is None


@pytest.mark.aws(
    "Lambda",
    "PutFunctionConcurrency",
    "So much cannot be reserved that fewer than 100 are left to the other functions.",
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
)
def test_not_all_of_the_accounts_concurrency_can_be_reserved(
    emulator: RunningEmulator, function: str
) -> None:
    lambda_ = emulator.client("lambda")
    with pytest.raises(ClientError, match="UnreservedConcurrentExecution"):
        lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=901)
    assert "ReservedConcurrentExecutions" not in lambda_.get_function_concurrency(
        FunctionName=function
    )


def test_a_new_worker_takes_no_event_before_its_init_is_over(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): return 'done'\n")
    environment = {"PYTHONPATH": str(tmp_path), "AWS_LAMBDA_FUNCTION_NAME": "f"}
    processes, began = Processes(), time.monotonic()
    worker = Worker(
        sys.executable,
        "app.handler",
        tmp_path,
        environment,
        tmp_path / "log",
        processes=processes,
        init_at_least_s=5,
    )
    try:
        outcome = worker.invoke("one", b"{}", "arn", Limits(3, 3))
    finally:
        worker.end()
        processes.close()
    assert (outcome.payload, outcome.failed) == (b'"done"', False)  # init is not of its timeout
    assert worker.init_s is not None
    assert time.monotonic() - began >= worker.init_s >= 5


@pytest.fixture
def crash(emulator: RunningEmulator) -> Iterator[Any]:
    """Switches crashes on; they are off after."""
    url = f"{emulator.url}/_emulator/faults/functions"

    def on(**settings: Any) -> urllib3.BaseHTTPResponse:
        return urllib3.request("PUT", url, json=settings, timeout=10)

    yield on
    urllib3.request("DELETE", url, timeout=10)


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "With the fault on, a function crashes before its event or after its work: Runtime.ExitError.",
    "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html",
)
@pytest.mark.parametrize(("when", "is_done"), [("after", True), ("before", False)])
def test_a_function_crashes_as_often_as_the_fault_says(
    emulator: RunningEmulator, crash: Any, tmp_path: Path, when: str, is_done: bool
) -> None:
    arn = create(emulator, SOURCE)
    name = arn.rpartition(":")[2]
    invoke(emulator, arn, {"do": "who"})
    assert crash(crash=[name], when=when, times=2).status == 200
    for number in range(2):
        done = tmp_path / f"done-{number}"
        died = invoke(emulator, arn, {"do": "touch", "path": str(done)})
        assert (died.error, died.answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
        assert died.answer["errorMessage"].endswith("Runtime exited with error: signal: killed")
        assert done.exists() is is_done
    assert invoke(emulator, arn, {"do": "who"}).error is None
    assert len(emulator.recorded("faults", what="crashed", function=name, when=when)) == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"crash": "f"}, "functions.crash is a list of texts"),
        ({"crash": ["f"], "when": "soon"}, "functions.when is before or after, not 'soon'"),
        ({"crash": ["f"], "times": 0}, "functions.times is a whole number from 1, not 0"),
    ],
)
def test_a_crash_that_cannot_be_is_refused(crash: Any, settings: Any, said: str) -> None:
    answer = crash(**settings)
    assert answer.status == 400
    assert said in answer.json()["error"]
