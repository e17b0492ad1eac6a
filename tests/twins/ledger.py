"""The ledger in memory: the twin of the table, held to the same contract suite."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import TRANSITIONS, Claim, Errand


class MemoryLedger:
    """Implements labswarm.lifecycle.ledger.Ledger for one process."""

    def __init__(self) -> None:
        self._claims: dict[tuple[str, Transition | Errand], Claim] = {}
        self._tombstones: dict[str, int] = {}

    def read_claim(self, instance_id: str, transition: Transition | Errand) -> Claim | None:
        return self._claims.get((instance_id, transition))

    def write_claim(self, claim: Claim) -> bool:
        key = (claim.instance_id, claim.transition)
        there = self._claims.get(key)
        if (there.version if there else 0) != claim.version:
            return False
        self._claims[key] = replace(claim, version=claim.version + 1)
        return True

    def about(self, instances: Iterable[str]) -> Sequence[Claim]:
        wanted = set(instances)
        return [
            claim
            for claim in self._claims.values()
            if claim.instance_id in wanted and claim.transition in TRANSITIONS
        ]

    def mark_terminating(self, instance_id: str, at: int) -> None:
        self._tombstones[instance_id] = at

    def is_terminating(self, instance_id: str) -> bool:
        return instance_id in self._tombstones
