"""The last report of the checks before a cluster's labs."""

import json
from dataclasses import asdict, dataclass
from typing import Protocol

from labswarm.errors import BadInput


@dataclass(frozen=True)
class Report:
    """The check at `checked_at` (epoch seconds): its lines, and the number of its findings.

    `moments` are the checks that have been made for labs that are still to come.
    """

    checked_at: float
    lines: tuple[str, ...]
    findings: int
    moments: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "Report":
        """Read what `to_json` wrote, here or in another version: a new key is left out.

        Raises BadInput for any other text.
        """
        try:
            values = json.loads(text)
            return cls(
                values["checked_at"],
                tuple(values["lines"]),
                values["findings"],
                tuple(values["moments"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput("report", f"is no report ({error!r}); delete the item") from error


class ReadyReports(Protocol):
    """Where the last report of each cluster is kept."""

    def read_report(self, cluster: str) -> Report | None:
        """The cluster's last report, or None."""

    def write_report(self, cluster: str, report: Report, before: Report | None) -> bool:
        """Keep it in place of the report `before`. False, and nothing is written, when another
        report is there."""
