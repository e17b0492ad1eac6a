"""`labswarm hub logs`: the log of a hub's part, from CloudWatch Logs or from a lab.

The hub's machine sends its parts' logs to one log group, a stream for each part
(cookbooks/labswarm_hub/recipes/logs.rb).
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from labswarm.aws.errors import code_of
from labswarm.errors import LabswarmError
from labswarm_operator.account import Clients, asked
from labswarm_operator.refusal import Refusal

STREAMS = {"hub": "hub", "proxy": "proxy", "spawner": "hub", "document": "document"}
"""The stream of each part. The spawner runs in the hub and logs there."""
_LOOK_S = 2.0
# CloudWatch Logs may show a line some seconds after a later one.
_LATE_S = 10.0
# JupyterHub's line names the module: [I 2026-11-24 10:00:01.123 JupyterHub spawner:351]
_BEGINS = re.compile(r"\[[A-Z] [^\]]* (\w+):\d+\]")
_SPAWNER = frozenset({"spawner", "dockerspawner", "swarmspawner", "seating", "user"})
_FAILED = "Not starting"


@dataclass(frozen=True)
class LogLine:
    """A line of a part's log; `at` in epoch seconds."""

    at: float
    part: str
    text: str


class HubLogs:
    """The logs of one hub's parts."""

    def __init__(
        self,
        clients: Clients,
        cluster: str,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._logs = clients("logs")
        self._group = f"/labswarm/{cluster}/hub"
        self._now = now
        self._sleep = sleep

    def lines(self, part: str, since: float, *, follow: bool) -> Iterator[LogLine]:
        """Return a part's lines since a time (epoch seconds); with `follow`, new ones for ever.

        Raises Refusal if the part has no log yet.
        """
        chosen = of_spawner() if part == "spawner" else lambda _text: True
        known: dict[str, float] = {}
        while True:
            for event in self._events(STREAMS[part], since):
                if event["eventId"] in known:
                    continue
                at = event["timestamp"] / 1000
                known[event["eventId"]] = at
                if chosen(event["message"]):
                    yield LogLine(at, part, event["message"].rstrip("\n"))
            if not follow:
                return
            since = max(since, max(known.values(), default=since) - _LATE_S)
            known = {one: at for one, at in known.items() if at >= since - _LATE_S}
            self._sleep(_LOOK_S)

    def _events(self, stream: str, since: float) -> Iterator[dict[str, Any]]:
        asking: dict[str, Any] = {
            "logGroupName": self._group,
            "logStreamNames": [stream],
            "startTime": int(since * 1000),
        }
        while True:
            try:
                with asked():
                    answer = self._logs.filter_log_events(**asking)
            except LabswarmError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                raise Refusal(
                    f"The log group {self._group} has no stream {stream!r} yet. It comes with the "
                    "first line that the hub's machine sends; apply the cluster's stack if it is "
                    "an old one."
                ) from error
            yield from answer["events"]
            if "nextToken" not in answer:
                return
            asking["nextToken"] = answer["nextToken"]


def of_spawner() -> Callable[[str], bool]:
    """Return a test whether a line of the hub's log is about students' servers.

    It is asked line by line: a line without a module, as of a traceback, belongs to the one before.
    """
    belongs = False

    def asked_about(text: str) -> bool:
        nonlocal belongs
        if begins := _BEGINS.search(text):
            belongs = begins[1] in _SPAWNER or _FAILED in text
        return belongs

    return asked_about
