"""Lambda functions, in real workers."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.support.lambda_functions import SOURCE, archive, create, invoke

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def function(emulator: Any) -> str:
    """The ARN of a function that does what its event says."""
    return create(emulator, SOURCE)


@pytest.fixture(scope="module", autouse=True)
def asynchronous(emulator: Any) -> dict[str, str]:
    """Two functions that fail an event each, sent here: their retries take their time meanwhile."""
    lambda_ = emulator.client("lambda")
    functions = {"default": create(emulator, SOURCE), "one retry": create(emulator, SOURCE)}
    lambda_.put_function_event_invoke_config(
        FunctionName=functions["one retry"], MaximumRetryAttempts=1
    )
    event = json.dumps({"do": "fail", "type": "Transient", "message": "async"})
    for arn in functions.values():
        accepted = lambda_.invoke(FunctionName=arn, InvocationType="Event", Payload=event)
        assert accepted["StatusCode"] == 202
    return functions


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An environment is used again and keeps the state of its modules.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html",
)
def test_a_function_answers_and_its_worker_is_used_again(emulator: Any, function: str) -> None:
    """Invoke gives the handler's answer; a warm environment keeps module state.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """
    first = invoke(emulator, function, {"do": "who"})
    second = invoke(emulator, function, {"do": "who"})

    assert second.answer["pid"] == first.answer["pid"]
    assert second.answer["calls"] == first.answer["calls"] + 1
    assert first.answer["arn"] == function


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An exception is FunctionError Unhandled with errorType, errorMessage and stackTrace.",
    "https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html",
)
def test_an_exception_is_a_function_error(emulator: Any, function: str) -> None:
    """FunctionError Unhandled; errorMessage, errorType, stackTrace.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    failed = invoke(emulator, function, {"do": "fail", "type": "Permanent", "message": "no"})

    assert failed.error == "Unhandled"
    assert (failed.answer["errorType"], failed.answer["errorMessage"]) == ("Permanent", "no")
    assert failed.answer["stackTrace"]


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A function beyond its timeout is ended: Sandbox.Timedout, Task timed out after N seconds.",
    "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html",
)
def test_a_function_that_outlasts_its_timeout_is_ended(emulator: Any) -> None:
    """errorType Sandbox.Timedout, "Task timed out after N.NN seconds"; the worker is gone.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """
    function = create(emulator, SOURCE, Timeout=20)
    before = invoke(emulator, function, {"do": "who"}).answer["pid"]

    late = invoke(emulator, function, {"do": "sleep", "seconds": 60})

    assert late.error == "Unhandled"
    assert late.answer["errorType"] == "Sandbox.Timedout"
    assert late.answer["errorMessage"].endswith("Task timed out after 20.00 seconds")
    assert invoke(emulator, function, {"do": "who"}).answer["pid"] != before
    assert not _alive(before)


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A process that exits or is killed is Runtime.ExitError; the next event has a new one.",
    "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html",
)
@pytest.mark.parametrize(
    ("event", "how"),
    [
        ({"do": "exit", "status": 3}, "Runtime exited with error: exit status 3"),
        ({"do": "kill"}, "Runtime exited with error: signal: killed"),
    ],
)
def test_a_worker_that_dies_is_an_exit_error(
    emulator: Any, function: str, event: dict[str, Any], how: str
) -> None:
    """Runtime.ExitError; the next event gets a new worker.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """
    died = invoke(emulator, function, event)

    assert (died.error, died.answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert died.answer["errorMessage"].endswith(how)
    assert invoke(emulator, function, {"do": "who"}).error is None


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An error of the init phase is the answer of the invocation.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html",
)
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import absent", "Runtime.ImportModuleError"),
        ("def other(): ...", "Runtime.HandlerNotFound"),
        ("raise KeyError('x')", "KeyError"),
        ("import os; os._exit(4)", "Runtime.ExitError"),
    ],
)
def test_code_that_cannot_be_loaded_is_reported(emulator: Any, source: str, error: str) -> None:
    """Errors of the init phase are the answer of the invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """
    broken = invoke(emulator, create(emulator, source), {})

    assert (broken.error, broken.answer["errorType"]) == ("Unhandled", error)


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An environment has one event at a time; there are more for events at once.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html",
)
def test_events_at_once_have_workers_of_their_own(emulator: Any, function: str) -> None:
    """One event at a time in an environment; Lambda starts more as needed.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
    """
    with ThreadPoolExecutor(3) as pool:
        event = {"do": "sleep", "seconds": 1}
        answers = list(pool.map(lambda _: invoke(emulator, function, event).answer, range(3)))

    assert len({answer["pid"] for answer in answers}) == 3


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "Above the reserved concurrency the answer is TooManyRequestsException, 429.",
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
)
def test_reserved_concurrency_is_a_limit(emulator: Any) -> None:
    """TooManyRequestsException (429) above it.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    arn = create(emulator, SOURCE)
    emulator.client("lambda").put_function_concurrency(
        FunctionName=arn, ReservedConcurrentExecutions=1
    )
    invoke(emulator, arn, {"do": "who"})
    impatient = boto3.client(
        "lambda",
        region_name="eu-west-1",
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(invoke, emulator, arn, {"do": "sleep", "seconds": 1.0})
        time.sleep(0.3)
        with pytest.raises(ClientError) as refused:
            impatient.invoke(FunctionName=arn)
        assert running.result().error is None

    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    answer: Any = refused.value.response
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


@pytest.mark.aws(
    "Lambda",
    "UpdateFunctionCode",
    "New events run the new code at once; old ones end with the old.",
    "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html",
)
def test_new_code_runs_in_new_workers_while_the_old_finish(emulator: Any) -> None:
    """UpdateFunctionCode: new invocations get the new code.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
    """
    arn = create(emulator, SOURCE)
    invoke(emulator, arn, {"do": "who"})

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(invoke, emulator, arn, {"do": "sleep", "seconds": 1.0})
        time.sleep(0.3)
        emulator.client("lambda").update_function_code(
            FunctionName=arn, ZipFile=archive("def handler(event, context): return 'new'")
        )
        assert invoke(emulator, arn, {}).answer == "new"
        assert running.result().answer["slept"] == 1.0


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "A function has Lambda's variables and its own, and nothing else.",
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
)
def test_the_environment_is_lambdas_and_the_functions_own(emulator: Any) -> None:
    """Lambda's variables, the function's and the emulator's address; nothing of its process.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    arn = create(emulator, SOURCE, MemorySize=192, Environment={"Variables": {"TABLE": "ledger"}})

    answer = invoke(emulator, arn, {"do": "environment"}).answer
    environment = answer["environment"]

    assert environment["TABLE"] == "ledger"
    assert environment["AWS_REGION"] == "eu-west-1"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "192"
    assert environment["AWS_ENDPOINT_URL"] == emulator.url
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == arn.split(":")[-1]
    assert answer["path"][0] == environment["LAMBDA_TASK_ROOT"]
    assert {n for n in os.environ if n.startswith(("PYTEST", "VIRTUAL_ENV"))}.isdisjoint(
        environment
    )


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "Layers come after the code, the last of them first.",
    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
)
def test_layers_come_after_the_code_and_the_last_first(emulator: Any) -> None:
    """The code, then /opt/python, where a later layer overrides an earlier.

    https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
    """
    lambda_ = emulator.client("lambda")
    layers = [
        lambda_.publish_layer_version(
            LayerName=f"contract-{name}",
            Content={"ZipFile": archive(f"WORD = {name!r}", "python/layered.py")},
        )["LayerVersionArn"]
        for name in ("first", "last")
    ]
    source = "import layered\ndef handler(event, context): return layered.WORD"

    assert invoke(emulator, create(emulator, source, Layers=layers), {}).answer == "last"


@pytest.mark.parametrize("how", ["forked", "started"])
def test_workers_end_with_the_emulator_however_it_ends(tmp_path: Path, how: str) -> None:
    """A Lambda environment never outlives its service; here, a `kill -9` of the emulator's process.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    """
    (tmp_path / "app.py").write_text(
        "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n"
    )
    start = (
        "import sys, time, pathlib\n"
        "from labswarm_emulator.functions.processes import Processes\n"
        "from labswarm_emulator.functions.worker import Worker\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "environment = {'PYTHONPATH': sys.argv[1], 'PYTHONUNBUFFERED': '1'}\n"
        "Worker(sys.executable, 'app.handler', folder, environment, folder / 'log',"
        " processes=Processes(forks=sys.argv[2] == 'forked'))\n"
        "time.sleep(600)\n"
    )
    emulator = subprocess.Popen([sys.executable, "-c", start, str(tmp_path), how])
    log = tmp_path / "log"
    try:
        _until(lambda: log.exists() and log.read_text().strip().isdigit(), "worker did not start")
        worker = int(log.read_text())
    finally:
        emulator.kill()
        emulator.wait()

    _until(lambda: not _alive(worker), f"worker {worker} lives on")


@pytest.mark.aws(
    "Lambda",
    "Invoke",
    "An asynchronous event is tried again after 1 and 2 minutes, MaximumRetryAttempts times.",
    "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html",
)
def test_an_asynchronous_event_is_tried_again_after_function_errors(
    emulator: Any, asynchronous: dict[str, str]
) -> None:
    """Event: 202 at once; again after 1 and then 2 minutes, at most MaximumRetryAttempts times.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    def ends(which: str) -> list[float]:
        name = asynchronous[which].split(":")[-1]
        return [line["at"] for line in emulator.recorded("functions", what="failed", function=name)]

    _until(lambda: len(ends("default")) == 3, "the default's third attempt did not come")
    first, second, third = ends("default")
    minute = 60 * emulator.settings.time_scale
    assert second - first >= minute
    assert third - second >= 2 * minute
    assert len(ends("one retry")) == 2


def _until(happened: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 15
    while not happened():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
