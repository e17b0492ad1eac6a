"""The minute starts the work that no event started, with the lifecycle action itself."""

from dataclasses import replace
from typing import Any

import pytest
from tests.simulation.faults import Delivery
from tests.simulation.simulation import EMPTY_DEADLINE_S, Simulation
from tests.support.app_twins import DESCRIPTION, INSTANCE, OTHER, OWNER
from tests.support.claims import INTERRUPTION, Bench, read
from tests.support.repository import REPOSITORY
from tests.twins.spot_requests import TwinSpotRequests

from labswarm.errors import Transient
from labswarm.groups import Member
from labswarm.lifecycle.events import HOOKS, LifecycleEvent, Skip, SpotNotice, Transition, parse
from labswarm.lifecycle.hook_time import TICK_S
from labswarm.lifecycle.unstarted import Started, Unstarted, hook_event, notice_event
from labswarm.lifecycle.waits import read_waits
from labswarm.lifecycle.work import NOTICE_S, Work

ASG = DESCRIPTION["asg"]
MACHINES = {"launch": "arn:launch", "terminate": "arn:terminate", "spot": "arn:spot"}


class Minute(Bench):
    """A group of one instance, and the look at it."""

    def __init__(self, state: str = "Pending:Wait") -> None:
        super().__init__()
        self.spot = TwinSpotRequests()
        self.state(state)

    def state(self, state: str) -> None:
        self.groups.members[INSTANCE] = Member(ASG, state)

    def look(self) -> Started:
        waits = read_waits(self.groups, self.ledger, ASG)
        return self.unstarted.start_hooks(waits)

    @property
    def unstarted(self) -> Unstarted:
        return Unstarted(self.ledger, self.spot, self.executions, MACHINES, self.clock)

    def started(self) -> list[LifecycleEvent | SpotNotice | Skip]:
        """The events with which executions were started."""
        return [parse(given) for given in self.executions.given.values()]

    def begun(self, sample: str) -> LifecycleEvent:
        """The event of the wait as AWS would have sent it."""
        return replace(read(sample), at=self.clock.now())


WAITS: list[tuple[str, Transition]] = [
    ("Pending:Wait", "launch"), ("Terminating:Wait", "terminate")
]  # fmt: skip


@pytest.mark.parametrize(("state", "transition"), WAITS)
def test_an_instance_that_waits_without_a_claim_gets_its_machine(
    state: str, transition: Transition
) -> None:
    minute = Minute(state)

    assert len(minute.look().names) == 1

    (event,) = minute.started()
    assert event == replace(
        read(transition), token=INSTANCE, at=int(minute.clock.now() - TICK_S), hook=transition
    )
    assert isinstance(event, LifecycleEvent)
    assert isinstance(minute.claim(event), Work)


def test_the_hooks_are_called_as_terraform_makes_them() -> None:
    text = (REPOSITORY / "terraform-base/modules/workers/main.tf").read_text()
    for transition, hook in HOOKS.items():
        block = text.split(f'resource "aws_autoscaling_lifecycle_hook" "{transition}" {{')[1]
        assert f'name                   = "{hook}"' in block.split("}")[0]


@pytest.mark.parametrize(
    "state", ["Pending", "Pending:Proceed", "InService", "Standby", "Terminating:Proceed"]
)
def test_an_instance_that_does_not_wait_gets_none(state: str) -> None:
    assert Minute(state).look() == Started()


def test_work_that_goes_on_is_left_alone() -> None:
    minute = Minute()
    minute.claim(minute.begun("launch"))

    assert minute.look() == Started()


def test_a_claim_that_has_just_closed_is_no_reason_to_begin_again() -> None:
    """The group was listed before the ledger was read."""
    minute = Minute()
    minute.claim(minute.begun("launch"))
    minute.close("joined")

    assert minute.look() == Started()
    minute.clock.sleep(TICK_S)
    assert len(minute.look().names) == 1


def test_a_schedules_event_that_comes_twice_starts_one_execution() -> None:
    minute = Minute()

    assert minute.look() == minute.look()

    assert len(minute.executions.given) == 1


def test_an_instance_that_cannot_be_started_for_stops_no_other() -> None:
    minute = Minute()
    other = "i-0123456789abcdef1"
    minute.groups.members[other] = Member(ASG, "Terminating:Wait")
    start = minute.executions.start

    def throttled(machine: str, name: str, given: Any) -> bool:
        if machine == MACHINES["launch"]:
            raise Transient("Rate exceeded")
        return start(machine, name, given)

    minute.executions.start = throttled  # type: ignore[method-assign]

    started = minute.look()

    assert started.missed == (f"launch of {INSTANCE}: Rate exceeded",)
    assert len(started.names) == 1


@pytest.mark.parametrize(("state", "transition"), WAITS)
def test_an_event_that_comes_late_leaves_its_token_with_the_minutes_work(
    state: str, transition: Transition
) -> None:
    minute = Minute(state)
    minute.look()
    (event,) = minute.started()
    assert isinstance(event, LifecycleEvent)
    minute.claim(event, OWNER)

    assert minute.claim(minute.begun(transition), OTHER) == Skip(f"{OWNER} works on it")

    claim = minute.ledger.read_claim(INSTANCE, transition)
    assert claim is not None
    assert claim.tokens == {INSTANCE: transition, read(transition).token: transition}


def test_an_event_that_comes_after_its_node_is_open_launches_it_not_again() -> None:
    minute = Minute()
    late = minute.begun("launch")
    minute.look()
    (event,) = minute.started()
    assert isinstance(event, LifecycleEvent)
    minute.claim(event)
    minute.close("joined")
    minute.state("InService")

    assert minute.claim(late, OTHER) == Skip("the instance is in service already")


@pytest.mark.parametrize("state", ["InService", "Terminating:Wait", None])
def test_the_minutes_event_is_dropped_when_the_instance_waits_no_more(state: str | None) -> None:
    minute = Minute()
    minute.look()
    (event,) = minute.started()
    assert isinstance(event, LifecycleEvent)
    if state:
        minute.state(state)
    else:
        del minute.groups.members[INSTANCE]

    answer = minute.claim(event)

    assert isinstance(answer, Skip)
    assert "does not wait for a launch" in answer.reason
    assert minute.ledger.read_claim(INSTANCE, "launch") is None


# Spot


def test_a_warning_that_never_came_starts_the_move_with_the_time_of_the_warning() -> None:
    minute = Minute("InService")
    warned_at = int(minute.clock.now()) - 50
    minute.spot.warned = {INSTANCE: warned_at, "i-0123456789abcdef1": warned_at}

    assert len(minute.unstarted.start_notices({INSTANCE}).names) == 1

    assert minute.started() == [replace(INTERRUPTION, at=warned_at)]


def test_a_warning_that_was_heard_starts_nothing() -> None:
    minute = Minute("InService")
    minute.spot.warned = {INSTANCE: minute.clock.now()}
    minute.claim(replace(INTERRUPTION, at=minute.clock.now()))

    assert minute.unstarted.start_notices({INSTANCE}) == Started()


def test_a_termination_that_does_not_know_of_the_warning_becomes_urgent() -> None:
    minute = Minute("Terminating:Wait")
    minute.claim(minute.begun("terminate"))
    minute.spot.warned = {INSTANCE: minute.clock.now()}

    minute.unstarted.start_notices({INSTANCE})
    (notice,) = minute.started()
    assert isinstance(notice, SpotNotice)
    minute.claim(notice, OTHER)

    claim = minute.ledger.read_claim(INSTANCE, "terminate")
    assert claim is not None
    assert claim.urgent
    assert claim.owner == OWNER
    assert minute.unstarted.start_notices({INSTANCE}) == Started()


def test_without_instances_ec2_is_not_asked() -> None:
    minute = Minute()
    minute.spot.interrupted = None  # type: ignore[assignment, method-assign]  # to be called is to fail

    assert minute.unstarted.start_notices(set()) == Started()


def test_the_events_are_written_as_aws_writes_them() -> None:
    hook, notice = hook_event(ASG, INSTANCE, "launch", 0), notice_event(INSTANCE, 0)

    assert parse({**hook, "source": "aws.autoscaling"}) == parse(hook)
    assert parse({**notice, "source": "aws.ec2"}) == parse(notice)


# The whole app, and not one event of AWS comes.

LOOK_S = 65
"""A minute, and the time of the calls."""


@pytest.fixture
def deaf() -> Any:
    with Simulation(3, ticks=True) as simulation:
        simulation.opened(2)
        simulation.faults.delivery = Delivery(lost=1.0)
        yield simulation


def test_nodes_open_a_minute_later_without_launch_events(deaf: Simulation) -> None:
    began = deaf.time.now()
    deaf.scale(4)

    assert deaf.time.run_until(lambda: len(deaf.open_workers()) == 4, 600), deaf.report()
    # Without the events of their commands either, each of five steps ends by its Task's own look.
    assert deaf.time.now() - began < 120 + LOOK_S + 180


def test_students_have_their_time_without_a_terminate_event(deaf: Simulation) -> None:
    for number in range(4):
        deaf.classroom.sit(f"s{number}")
    deaf.time.run(30)
    worker = deaf.classroom.worker_of("s0")
    assert worker is not None
    began = deaf.time.now()
    deaf.groups.terminate_instance_in_auto_scaling_group(worker, False)

    deaf.time.run(LOOK_S)
    assert worker not in deaf.open_workers(), "nobody is seated there any more"
    assert deaf.time.run_until(lambda: worker not in deaf.group.instances, 600), deaf.report()
    claim = deaf.ledger.read_claim(worker, "terminate")
    assert claim is not None
    assert claim.opened_at - began < LOOK_S
    cuts = [cut for cut in deaf.classroom.cuts if cut.instance_id == worker]
    assert cuts
    assert all(not cut.drained for cut in cuts), "each was moved"
    assert min(cut.at for cut in cuts) >= claim.opened_at + EMPTY_DEADLINE_S - 1
    assert deaf.settle()
    assert deaf.traces() == []


@pytest.mark.parametrize("after_s", [1, 30, 59])
def test_students_are_moved_without_a_spot_warning(deaf: Simulation, after_s: int) -> None:
    for number in range(4):
        deaf.classroom.sit(f"s{number}")
    deaf.time.run(60 - deaf.time.now() % 60 + after_s)
    worker = deaf.classroom.worker_of("s0")
    assert worker is not None

    taken_at = deaf.time.now() + NOTICE_S
    deaf.warn(worker)
    assert deaf.time.run_until(lambda: worker not in deaf.group.instances, 600), deaf.report()

    cuts = [cut for cut in deaf.classroom.cuts if cut.instance_id == worker]
    assert cuts
    assert all(cut.at < taken_at and not cut.drained for cut in cuts), "each was moved in time"
    assert deaf.settle()
    assert deaf.traces() == []
