"""The error with which an execution, or a state of it, has failed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """An error's name, and its reason in one line; both empty when they are not known."""

    error: str = ""
    cause: str = ""

    @classmethod
    def read(cls, caught: object) -> "Failure":
        """Read the error that a state machine caught: `{"Error", "Cause"}`.

        The cause of a function's error is JSON with its message and its trace; the trace is left
        out: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
        """
        if not isinstance(caught, Mapping):
            return cls()
        cause = str(caught.get("Cause") or "")
        try:
            content = json.loads(cause)
        except ValueError:
            content = None
        if isinstance(content, Mapping) and content.get("errorMessage"):
            cause = str(content["errorMessage"])
        return cls(str(caught.get("Error") or ""), " ".join(cause.split()))

    @property
    def why(self) -> str:
        """A sentence without its full stop."""
        if not self.error:
            return self.cause or "the execution names no error"
        return f"{self.error}: {self.cause}".strip()
