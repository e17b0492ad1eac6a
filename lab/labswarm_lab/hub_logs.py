"""The logs of a lab's hub as CloudWatch Logs would answer: on AWS the hub's machine sends them.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

Lines = Callable[[float], Iterable[str]]
"""Reads the lines of a stream from a time (epoch seconds) on, each with its time before it."""
# As `docker service logs --timestamps`, and as Python's logging writes a time of this machine.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?(Z?) ")


class LabLogs:
    """Answers as CloudWatch Logs for one log group; `streams` by their names."""

    def __init__(self, group: str, streams: dict[str, Lines]) -> None:
        self._group = group
        self._streams = streams

    def filter_log_events(
        self,
        *,
        logGroupName: str,  # noqa: N803  # as boto3 has them
        logStreamNames: Sequence[str],  # noqa: N803  # as boto3 has it
        startTime: int,  # noqa: N803  # as boto3 has it
    ) -> dict[str, Any]:
        """Return the events of the streams since `startTime` (ms). All are on one page."""
        missing = [name for name in logStreamNames if name not in self._streams]
        if logGroupName != self._group or missing:
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException", "Message": "no such stream"}},
                "FilterLogEvents",
            )
        return {
            "events": [
                event
                for name in logStreamNames
                for event in _events(name, self._streams[name](startTime / 1000))
                if event["timestamp"] >= startTime
            ]
        }


def _events(stream: str, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Return the lines with their times; one without a time has that of the line before."""
    at_ms, same = 0, 0
    for line in lines:
        found = _TIME.match(line)
        before, at_ms = at_ms, _ms(found) if found else at_ms
        same = same + 1 if at_ms == before else 0
        # Docker puts its time before the line; in a file the time is the line's own.
        text = line[found.end() :] if found and found[3] else line
        yield {
            "logStreamName": stream,
            "timestamp": at_ms,
            "message": text,
            "eventId": f"{stream}-{at_ms}-{same}",
        }


def _ms(found: re.Match[str]) -> int:
    fraction = (found[2] or "").ljust(6, "0")
    text = f"{found[1]}.{fraction}{'+00:00' if found[3] else ''}"
    return int(datetime.fromisoformat(text).timestamp() * 1000)
