"""The clusters to which AWS sells no machines at present, as the hub's host hands them to the hub.

They are a file in the hub's own folder. The host writes it again and again, so an old one says
nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from labswarm.errors import BadInput
from labswarm.fields import ANY_VERSION, Fields

FILE = "shortages.json"
FRESH_S = 120.0
"""The age (seconds) up to which a file counts."""


@dataclass(frozen=True)
class Shortages:
    """The short clusters at `at` (epoch seconds), each with the time of AWS's next try (epoch
    seconds; 0 where it is not known)."""

    at: float = 0.0
    next_tries: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, file: Path) -> "Shortages":
        """Return the shortages in a file that `to_json` wrote, here or in another version. None
        are known where it is missing or broken: nothing but a sentence depends on it."""
        try:
            fields = Fields(json.loads(file.read_text()), ANY_VERSION, of="shortages")
            tries = fields.anything_by_name("next_tries")
            return cls(fields.time("at"), {name: float(at) for name, at in tries.items()})
        except (OSError, ValueError, TypeError, BadInput):
            return cls()

    def next_try(self, cluster: str, now: float) -> float | None:
        """Return when AWS tries next for a cluster; None unless it is known to be short at `now`
        (epoch seconds)."""
        return self.next_tries.get(cluster) if now - self.at <= FRESH_S else None
