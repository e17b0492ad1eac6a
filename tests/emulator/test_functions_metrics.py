"""Lambda's metrics of its functions in CloudWatch."""

import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from tests.support.lambda_functions import SOURCE, create, invoke
from tests.support.running_emulator import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def function(emulator: RunningEmulator) -> str:
    """The ARN of a function that does what its event says."""
    return create(emulator, SOURCE)


def measured(
    emulator: RunningEmulator, function: str, metric: str, since: float, until: float | None = None
) -> dict[str, float]:
    """The statistics of a metric of a function between two times (epoch seconds; until now)."""
    day_s = 86_400
    points = emulator.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": function.rpartition(":")[2]}],
        StartTime=datetime.fromtimestamp(since, UTC),
        EndTime=datetime.fromtimestamp(until or time.time() + 1, UTC),
        Period=day_s,
        Statistics=["Sum", "Minimum", "SampleCount"],
        Unit="Count",
    )["Datapoints"]
    if not points:
        return {}
    (point,) = points
    return {name: point[name] for name in ("Sum", "Minimum", "SampleCount")}


@pytest.mark.aws(
    "Lambda",
    "CloudWatch metrics",
    "Each invocation is one of Invocations, and of Errors 1 when it failed and 0 when it did not.",
    "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
)
@pytest.mark.differs(
    "Lambda",
    "CloudWatch metrics",
    "There are Invocations and Errors of a function, and no other metric or dimension.",
    "The app's alarms are on these",
)
def test_an_invocation_is_counted_and_whether_it_failed(
    emulator: RunningEmulator, function: str
) -> None:
    """ "Invocation metrics are binary indicators of the outcome of a Lambda function invocation";
    an error is an exception, a timeout, or a process that dies.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    since = time.time() - 1
    assert measured(emulator, function, "Errors", since) == {}, "nothing is said of no invocation"

    invoke(emulator, function, {"do": "who"})
    said = {name: measured(emulator, function, name, since) for name in ("Invocations", "Errors")}
    assert said == {
        "Invocations": {"Sum": 1, "Minimum": 1, "SampleCount": 1},
        "Errors": {"Sum": 0, "Minimum": 0, "SampleCount": 1},
    }

    invoke(emulator, function, {"do": "fail", "type": "Permanent", "message": "no"})
    invoke(emulator, function, {"do": "kill"})
    said = {name: measured(emulator, function, name, since) for name in ("Invocations", "Errors")}
    assert said == {
        "Invocations": {"Sum": 3, "Minimum": 1, "SampleCount": 3},
        "Errors": {"Sum": 2, "Minimum": 0, "SampleCount": 3},
    }


@pytest.mark.aws(
    "Lambda",
    "CloudWatch metrics",
    "A throttled call counts as no invocation and as no error.",
    "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
)
def test_a_throttled_invocation_is_not_counted(emulator: RunningEmulator) -> None:
    """ "Invocations aren't recorded if the invocation request is throttled".

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    since, function = time.time() - 1, create(emulator, SOURCE)
    emulator.client("lambda").put_function_concurrency(
        FunctionName=function, ReservedConcurrentExecutions=0
    )

    with pytest.raises(ClientError, match="TooManyRequestsException"):
        invoke(emulator, function, {})
    assert measured(emulator, function, "Invocations", since) == {}
    assert measured(emulator, function, "Errors", since) == {}


@pytest.mark.aws(
    "Lambda",
    "CloudWatch metrics",
    "They are of the time at which the function was invoked, and there when it has ended.",
    "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
)
def test_an_invocation_is_counted_when_it_began(emulator: RunningEmulator) -> None:
    """ "Note that the timestamp on an error metric reflects when the function was invoked, not when
    the error occurred."

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    function = create(emulator, SOURCE)
    asked = time.time()

    invoke(emulator, function, {"do": "sleep", "seconds": 3})

    # However long it took to begin, it was 3 s ago at the latest. CloudWatch asks by whole seconds.
    before_its_end = time.time() - 2
    assert measured(emulator, function, "Errors", asked - 1, before_its_end)["SampleCount"] == 1
