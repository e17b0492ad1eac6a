"""The functions' logs: structured lines, each a JSON object, with metrics among them."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from labswarm.log_keys import log_keys

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


class FunctionLogger(Logger):
    """Names in each line of an invocation the instance, the cluster and the execution that its
    event is about."""

    def inject_lambda_context(self, handler: Handler) -> Handler:  # type: ignore[override]
        """Decorate a function's handler."""

        @wraps(handler)
        def with_keys(event: dict[str, Any], context: object) -> dict[str, Any]:
            self.append_keys(**log_keys(event))
            return handler(event, context)

        # The keys of the invocation before are cleared.
        decorated: Handler = super().inject_lambda_context(with_keys, clear_state=True)
        return decorated


logger = FunctionLogger(service="labswarm")


def count(metrics: "Metrics", counts: Mapping[str, int], **about: str) -> None:
    """Send the counts that are not zero, in one document with the dimensions `about`; else nothing.

    A custom metric is paid for by the hour in which it is sent: "All custom metrics are prorated by
    the hour. They're metered only when they're sent to CloudWatch." So a
    zero is not sent, and the alarms treat missing data as good.

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
