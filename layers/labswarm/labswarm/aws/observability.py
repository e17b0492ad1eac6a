"""The functions' logs: structured lines, each a JSON object, with metrics among them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics

logger = Logger(service="labswarm")


def count(metrics: "Metrics", counts: Mapping[str, int], **about: str) -> None:
    """Send those that are not zero, in one document with what they are `about`; else nothing.

    A custom metric is paid for by the hour in which it is sent: "All custom metrics are prorated by
    the hour. They're metered only when they're sent to CloudWatch." So what is well is not said,
    and the alarms take what is missing for well.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_billing.html
    """
    counted = {name: number for name, number in counts.items() if number}
    if not counted:
        return
    for key, value in about.items():
        metrics.add_metadata(key, value)
    for name, number in counted.items():
        metrics.add_metric(name, "Count", number)
    metrics.flush_metrics()
