"""Claims of an event, over twins."""

from labswarm.cluster import Cluster
from labswarm.lifecycle.claim import Claiming
from labswarm.lifecycle.events import LifecycleEvent, Skip, SpotNotice, parse
from labswarm.lifecycle.hooks import finish
from labswarm.lifecycle.work import Work
from tests.support.app_twins import DESCRIPTION, INSTANCE, OTHER, OWNER, TwinClock, event
from tests.twins.cluster import TwinClusters
from tests.twins.executions import TwinExecutions
from tests.twins.groups import TwinGroups
from tests.twins.hooks import TwinHooks
from tests.twins.ledger import MemoryLedger
from tests.twins.tasks import TwinTasks


class Bench:
    """Claiming over twins, a second after the sample events."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.executions = TwinExecutions(OWNER, OTHER)
        self.clock = TwinClock(read("launch").at + 1)
        self.hooks = TwinHooks()
        self.groups = TwinGroups()
        self.short: list[tuple[str, str, int]] = []
        self.tasks = TwinTasks()

    def claim(self, event: LifecycleEvent | SpotNotice, owner: str = OWNER) -> Work | Skip:
        return Claiming(
            clusters=TwinClusters(DESCRIPTION),
            ledger=self.ledger,
            hooks=self.hooks,
            groups=self.groups,
            executions=self.executions,
            clock=self.clock,
            too_short=lambda *hook: self.short.append(hook),
            tasks=self.tasks,
        ).claim(event, owner)

    def cluster(self, **described: object) -> Cluster:
        return TwinClusters({**DESCRIPTION, **described}).read_cluster("lab")

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
