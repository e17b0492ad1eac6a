"""The error with which an execution, or a state of it, has failed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from labswarm.error_table import aws_kind
from labswarm.errors import Throttled, Transient


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
    def of_control_plane(self) -> bool:
        """Whether AWS did not run a step for now: that says nothing about the instance.

        A service was throttled, or Lambda refused the call, as it does while it connects a function
        to its VPC again. A function that is missing, may not run or dies fails every launch, and is
        none of these. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        service, _, code = self.error.rpartition(".")
        if service == "Lambda":
            return code != "Unknown" and issubclass(aws_kind(code, self.cause), Transient)
        return self.error == Throttled.__name__

    @property
    def why(self) -> str:
        """A sentence without its full stop."""
        if not self.error:
            return self.cause or "the execution names no error"
        return f"{self.error}: {self.cause}".strip()


UNNAMED = Failure()
"""The failure of an execution that names no error, such as one that a person stopped."""
