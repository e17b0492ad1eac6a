"""The report of the hub's host about the document: the version that the hub runs.

It is a parameter below the cluster's description. The functions read the fields in it that the
document changes, so that a new seat counts for them when it counts for the hub, and not before.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from labswarm.errors import BadInput
from labswarm.fields import ANY_VERSION, Fields


@dataclass(frozen=True)
class Applied:
    """The version that the hub runs since `at` (epoch seconds), and what it changes.

    `tried` is the newest version that the hub's host has tried. `problem` says why the hub does
    not run it; empty when it does. `changes` are fields of the cluster's description.
    """

    version: int
    tried: int
    at: float
    problem: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the hub does not run its newest version."""
        return bool(self.problem) or self.tried > self.version

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Applied":
        """Read a report (JSON). Raises BadInput naming the first field that is wrong."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadInput("applied", f"is no JSON ({error})") from error
        fields = Fields(values, ANY_VERSION, of="applied")
        changes = values.get("changes", {})
        if not isinstance(changes, Mapping):
            raise BadInput("changes", "has to be an object")
        return cls(
            version=fields.count("version"),
            tried=fields.count("tried"),
            at=fields.time("at"),
            problem=values.get("problem") or "",
            changes=changes,
        )


NOTHING = Applied(0, 0, 0.0)
"""The report of a hub that has applied no document."""


class Reports(Protocol):
    """The reports of all hubs."""

    def read_applied(self, cluster: str) -> Applied:
        """The hub's newest report; NOTHING if there is none."""

    def read_reports(self) -> dict[str, Applied]:
        """Return the newest report of each hub that has one, by cluster; none that is no report."""

    def report_applied(self, cluster: str, applied: Applied) -> None:
        """Replace the hub's report."""
