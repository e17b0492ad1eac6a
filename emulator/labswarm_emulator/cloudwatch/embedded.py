"""Metrics that functions write into their logs, in CloudWatch's embedded metric format (EMF).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator

MOST_KEYS, MOST_METRICS, MOST_VALUES = 30, 100, 100


class Invalid(ValueError):
    """A document that claims to have metrics, and CloudWatch takes none of them."""


MALFORMED = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
"""The errors of reading a document of another shape."""


class EmbeddedMetrics:
    """Reads the new lines of the functions' logs at each call; from any thread."""

    def __init__(self, emulator: Emulator) -> None:
        self._record = emulator.record
        self._lock = threading.Lock()
        # The lines of an earlier emulator's functions have been read.
        folder = emulator.settings.state_dir / "logs"
        self._read = {log: log.stat().st_size for log in folder.glob("*.log")}

    def read(self, log: Path) -> None:
        """Take the metrics of the whole lines that were added to a log."""
        with self._lock:
            with log.open("rb") as lines:
                lines.seek(self._read.get(log, 0))
                new = lines.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read[log] = self._read.get(log, 0) + len(whole)
        for line in whole.splitlines():
            if b'"_aws"' in line:
                self._take(log.stem, line)

    def _take(self, function: str, line: bytes) -> None:
        backend = cloudwatch_backends[ACCOUNT][REGION]
        for document in documents(line.decode(errors="replace")):
            try:
                for namespace, metrics in list(extracted(document)):
                    backend.put_metric_data(namespace, metrics)
            except MALFORMED as why:
                self._record.write("cloudwatch", "metrics dropped", function=function, why=str(why))


def documents(line: str) -> Iterator[Any]:
    """The JSON values of a line: two workers that share a log can get on one."""
    decoder, at = json.JSONDecoder(parse_constant=lambda _: None), 0
    while at < len(line):
        try:
            value, at = decoder.raw_decode(line, at)
        except ValueError:
            return  # A line of text.
        yield value


def extracted(document: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The metrics of a document, as PutMetricData takes them, by namespace.

    None without `_aws`. Raises Invalid for values that the specification does not allow.
    """
    metadata = document.get("_aws") if isinstance(document, dict) else None
    if not isinstance(metadata, dict) or "CloudWatchMetrics" not in metadata:
        return
    milliseconds = metadata.get("Timestamp")
    if not isinstance(milliseconds, int):
        raise Invalid("_aws.Timestamp is no number of milliseconds")
    # moto's timestamps are in UTC and do not say so.
    at = datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)
    for directive in metadata["CloudWatchMetrics"]:
        if not {"Namespace", "Dimensions", "Metrics"} <= directive.keys():
            raise Invalid("a directive lacks Namespace, Dimensions or Metrics")
        if len(directive["Metrics"]) > MOST_METRICS:
            raise Invalid(f"more than {MOST_METRICS} metrics in a directive")
        yield (
            str(directive["Namespace"]),
            [
                {
                    "MetricName": metric["Name"],
                    "Dimensions": _dimensions(document, keys),
                    "Unit": metric.get("Unit", "None"),
                    "Timestamp": at,
                    "Values": _values(document, metric["Name"]),
                }
                for metric in directive["Metrics"]
                for keys in directive["Dimensions"]
            ],
        )


def _dimensions(document: dict[str, Any], keys: list[str]) -> list[dict[str, str]]:
    if len(keys) > MOST_KEYS:
        raise Invalid(f"more than {MOST_KEYS} dimensions in a set")
    for key in keys:
        if not isinstance(document.get(key), str):
            raise Invalid(f"dimension {key} is no string at the root")
    return [{"Name": key, "Value": document[key]} for key in keys]


def _values(document: dict[str, Any], name: str) -> list[float]:
    target = document.get(name)
    values: list[Any] = target if isinstance(target, list) else [target]
    if not values or len(values) > MOST_VALUES:
        raise Invalid(f"metric {name} has {len(values)} values")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Invalid(f"metric {name} is no number at the root")
    return values
