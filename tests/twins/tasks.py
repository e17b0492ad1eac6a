"""Tasks that wait for their token, in memory."""

import json
from collections.abc import Mapping
from typing import Any

from labswarm.errors import LabswarmError, Permanent


class TwinTasks:
    """Implements labswarm.tasks.Tasks: `waiting` are the tokens, `ended` their ends."""

    def __init__(self, *waiting: str) -> None:
        self.given = set(waiting)
        self.waiting = set(waiting)
        self.ended: dict[str, Mapping[str, Any] | LabswarmError] = {}

    def succeed(self, token: str, answer: Mapping[str, Any]) -> bool:
        return self._end(token, json.loads(json.dumps(answer)))

    def fail(self, token: str, error: LabswarmError) -> bool:
        return self._end(token, error)

    def _end(self, token: str, how: Mapping[str, Any] | LabswarmError) -> bool:
        if token not in self.given:
            raise Permanent(f"{token!r} was never given out")
        if token not in self.waiting:
            return False
        self.waiting.discard(token)
        self.ended[token] = how
        return True
