"""Lab hours on a simulated cluster: the app's own decisions, with the world's clock and stores."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

from labswarm.cluster import Cluster
from labswarm.groups import Group
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import BookingsRead
from labswarm.lab_hours.decide import LabHours, actions_of
from labswarm.lab_hours.purchases import Market
from labswarm.lab_hours.state import LabHoursState
from labswarm.lifecycle.breaker import Breaker
from labswarm.lifecycle.ledger import Claim
from labswarm.planning.cluster import PlannedCluster
from labswarm.planning.world import Action, World
from labswarm.snapshot import Snapshot

NEWEST = 50
"""As many launches does the ledger's reader return (labswarm.aws.dynamodb.launches)."""


class LabHoursPolicy:
    """Decides by labswarm.lab_hours.decide.LabHours, the class that the app's function calls.

    It stands in for the stores from which lab hours read: of each it has the reads only, because a
    decision writes nothing but its own state.
    """

    def __init__(self, planned: PlannedCluster, bookings: Iterable[Booking]) -> None:
        # Lab hours drop the bookings of a cluster without a timetable.
        self._cluster = replace(planned.description, timetable="ssm:/labswarm/timetables/plan")
        self._state = LabHoursState(
            node_seats=planned.kind.seats if planned.had_nodes else None, bookings=tuple(bookings)
        )
        self._world: World
        # One decision asks for a part of each store only; a missing part fails in the first plan.
        stores = cast(Any, self)
        self._hours = LabHours(
            clusters=stores,
            groups=stores,
            purchases=stores,
            snapshots=stores,
            states=stores,
            bookings=stores,
            launches=stores,
            claims=stores,
            breakers=stores,
            alarms=stores,
            clock=stores,
        )

    def __call__(self, world: World) -> Sequence[Action]:
        """Return the actions of the decision at the world's time."""
        self._world = world
        return actions_of(self._hours.decision(self._cluster.name).decision)

    # The clock and the stores of lab hours.

    def now(self) -> float:
        return self._world.now

    def read_cluster(self, _name: str) -> Cluster:
        return self._cluster

    def view(self, _asg: str) -> Group:
        return self._world.group()

    def refused(self, _asg: str, since: float) -> Market | None:
        recent = [market for at, market in self._world.refusals if at >= since]
        return recent[-1] if recent else None

    def on_demand(self, _asg: str) -> frozenset[str]:
        return frozenset(node.instance_id for node in self._world.live() if not node.spot)

    def read_snapshot(self, _cluster: str) -> Snapshot:
        return self._world.snapshot()

    def read_state(self, _cluster: str) -> LabHoursState:
        return self._state

    def write_state(self, _cluster: str, state: LabHoursState) -> None:
        self._state = state

    def read_bookings(self, _cluster: str) -> BookingsRead:
        # The state has them.
        return BookingsRead()

    def durations_s(self, _cluster: str) -> Sequence[float]:
        return self._world.starts_s[-NEWEST:]

    def about(self, _instances: Iterable[str]) -> Sequence[Claim]:
        # An instance whose end has begun is not in service any more, and none is recommended to go.
        return ()

    def read_breaker(self, _cluster: str) -> Breaker:
        return Breaker()

    def send(self, _subject: str, _sentences: Sequence[str]) -> None:
        """A simulated cluster raises no alarm."""
