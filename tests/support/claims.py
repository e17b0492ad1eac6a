"""Claims of an event, over twins."""

from labswarm.lifecycle.claim import Claiming
from labswarm.lifecycle.events import LifecycleEvent, Skip, SpotNotice, parse
from labswarm.lifecycle.hooks import finish
from labswarm.lifecycle.work import Work
from tests.support.app_twins import (
    INSTANCE,
    OTHER,
    OWNER,
    TwinClock,
    TwinClusters,
    TwinGroups,
    TwinHooks,
    event,
)
from tests.twins.ledger import MemoryLedger


class Bench:
    """Claiming over twins, a second after the sample events."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.running = {OWNER, OTHER}
        self.clock = TwinClock(read("launch").at + 1)
        self.hooks = TwinHooks()
        self.groups = TwinGroups()
        self.short: list[tuple[str, str, int]] = []

    def claim(self, event: LifecycleEvent | SpotNotice, owner: str = OWNER) -> Work | Skip:
        return Claiming(
            clusters=TwinClusters(),
            ledger=self.ledger,
            hooks=self.hooks,
            member=self.groups.member,
            runs=self.running.__contains__,
            clock=self.clock,
            too_short=lambda *hook: self.short.append(hook),
        ).claim(event, owner)

    def close(self, phase: str, owner: str = OWNER) -> None:
        finish(self.ledger, self.hooks, self.clock, (INSTANCE, "launch", owner), "CONTINUE", phase)


def read(name: str) -> LifecycleEvent:
    parsed = parse(event(name))
    assert isinstance(parsed, LifecycleEvent)
    return parsed


def notice(name: str) -> SpotNotice:
    parsed = parse(event(name))
    assert isinstance(parsed, SpotNotice)
    return parsed


INTERRUPTION, REBALANCE = notice("spot_interruption"), notice("rebalance_recommendation")
