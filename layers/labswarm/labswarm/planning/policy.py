"""Lab hours on a simulated cluster: the app's own decisions, with the world's clock and stores."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from labswarm.cluster import Cluster
from labswarm.groups import Group
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import BookingsRead
from labswarm.lab_hours.decide import LabHours, actions_of
from labswarm.lab_hours.purchases import Refusal
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
        self._hours = LabHours(
            clusters=self,
            groups=self,
            purchases=self,
            snapshots=self,
            states=self,
            bookings=self,
            launches=self,
            claims=self,
            breakers=self,
            alarms=self,
            clock=self,
        )

    def __call__(self, world: World) -> Sequence[Action]:
        """Return the actions of the decision at the world's time."""
        self._world = world
        return actions_of(self._hours.decision(self._cluster.name).decision)

    # The clock and the stores of lab hours, of one cluster: none asks which it is.

    def now(self) -> float:
        return self._world.now

    def read_cluster(self, name: str) -> Cluster:  # noqa: ARG002  # of one cluster
        return self._cluster

    def view(self, asg: str) -> Group:  # noqa: ARG002  # of one cluster
        return self._world.group()

    def refusals(self, asg: str, since: float) -> tuple[Refusal, ...]:  # noqa: ARG002  # of one cluster
        return tuple(one for one in self._world.refusals if one.at >= since)

    def on_demand(self, asg: str) -> frozenset[str]:  # noqa: ARG002  # of one cluster
        return frozenset(node.instance_id for node in self._world.live() if not node.spot)

    def read_snapshot(self, cluster: str) -> Snapshot:  # noqa: ARG002  # of one cluster
        return self._world.snapshot()

    def read_state(self, cluster: str) -> LabHoursState:  # noqa: ARG002  # of one cluster
        return self._state

    def write_state(self, cluster: str, state: LabHoursState) -> None:  # noqa: ARG002  # of one cluster
        self._state = state

    def read_bookings(self, cluster: str) -> BookingsRead:  # noqa: ARG002  # of one cluster
        # The state has them.
        return BookingsRead()

    def durations_s(self, cluster: str) -> Sequence[float]:  # noqa: ARG002  # of one cluster
        return self._world.starts_s[-NEWEST:]

    def about(self, instances: Iterable[str]) -> Sequence[Claim]:  # noqa: ARG002  # of one cluster
        # An instance whose end has begun is not in service any more, and none is recommended to go.
        return ()

    def read_breaker(self, cluster: str) -> Breaker:  # noqa: ARG002  # of one cluster
        return Breaker()

    def send(self, subject: str, sentences: Sequence[str]) -> None:
        """A simulated cluster raises no alarm."""
