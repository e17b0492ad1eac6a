"""Lambda's metrics of each invocation, by the function's name.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from datetime import UTC, datetime

from moto.cloudwatch.models import cloudwatch_backends

from labswarm_emulator.emulator import ACCOUNT, REGION

NAMESPACE = "AWS/Lambda"


def publish(function: str, invoked_at: float, *, failed: bool) -> None:
    """Put what an invocation that has ended counts for; `invoked_at` is in epoch seconds.

    "Invocation metrics are binary indicators of the outcome", so one that did not fail is an error
    of 0; "the timestamp on an error metric reflects when the function was invoked".
    """
    counted = {"Invocations": 1, "Errors": int(failed)}
    cloudwatch_backends[ACCOUNT][REGION].put_metric_data(
        NAMESPACE,
        [
            {
                "MetricName": name,
                "Dimensions": [{"Name": "FunctionName", "Value": function}],
                "Unit": "Count",
                "Value": value,
                # moto's timestamps are in UTC and do not say so.
                "Timestamp": datetime.fromtimestamp(invoked_at, UTC).replace(tzinfo=None),
            }
            for name, value in counted.items()
        ],
    )
