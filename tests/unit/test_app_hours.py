"""Lab hours from reading to acting, over twins; and the feed's last good copy."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from tests.support.app_twins import DESCRIPTION, OWNER, TwinClock
from tests.twins.bookings import MemoryBookings
from tests.twins.breaker import MemoryBreakers
from tests.twins.groups import TwinGroups
from tests.twins.ledger import MemoryLedger
from tests.twins.purchases import TwinPurchases
from tests.twins.snapshot import MemorySnapshots
from tests.twins.state import MemoryLabHoursStates

from labswarm.cluster import Cluster
from labswarm.errors import BadInput, Permanent, Transient
from labswarm.groups import Group, Member, Mix, Size
from labswarm.lab_hours.apply import Sizing
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.decide import LabHours, actions_of, execution_name
from labswarm.lab_hours.demand import Decision
from labswarm.lab_hours.purchases import RECENT_S, Market, Refusal
from labswarm.lab_hours.state import LabHoursState
from labswarm.lab_hours.timetables import Timetables
from labswarm.lifecycle.events import Transition
from labswarm.lifecycle.ledger import Claim, Phase
from labswarm.snapshot import NodeSeen, Snapshot

NOW = 1_800_000_000.0
"""2027-01-15T08:00:00Z"""
ONE, TWO = "i-00000000000000001", "i-00000000000000002"
FEED = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Physics
DESCRIPTION:seats: {seats}
DTSTART:20270115T080200Z
DTEND:20270115T100000Z
END:VEVENT
END:VCALENDAR
"""

BAD = ("'Physics' on 2027-01-15 at 08:02: seats is 'many'. Write a whole number from 1 to 99999.",)


class Mute:
    """Alarms that cannot be sent."""

    def send(self, subject: str, sentences: Sequence[str]) -> None:
        raise Transient("SNS does not answer")


class Rig:
    """One cluster as lab hours see it; each part can be changed before a decision."""

    def __init__(self, **description: Any) -> None:
        self.clock = TwinClock(NOW)
        self.cluster = Cluster.parse(json.dumps({**DESCRIPTION, **description}))
        self.group = Group(desired=1, least=0, most=20, in_service=frozenset({ONE}))
        self.snapshots = MemorySnapshots()
        self.states = MemoryLabHoursStates()
        self.bookings = MemoryBookings()
        self.text = FEED.format(seats=12)
        self.unreadable = False
        self.measured = 0
        self.ledger = MemoryLedger()
        self.breakers = MemoryBreakers()
        self.purchases = TwinPurchases()
        self.alarms: list[tuple[str, tuple[str, ...]]] = []
        self.hours = LabHours(
            clusters=cast(Any, self),
            groups=cast(Any, self),
            purchases=self.purchases,
            snapshots=self.snapshots,
            states=self.states,
            bookings=self.bookings,
            launches=self,
            claims=self.ledger,
            breakers=self.breakers,
            alarms=self,
            clock=self.clock,
        )
        self.timetables = Timetables(self.feeds(), self.states, self.clock)

    def minute(self) -> tuple[Decision, tuple[str, ...]]:
        """The function's work each minute: the decision, and the feed's problems."""
        decided = self.hours.decision("lab")
        refreshed = self.timetables.refresh([decided.feed] if decided.feed else [])
        for name in refreshed.changed:
            decided = self.hours.decision(name)
        return decided.decision, (*refreshed.unread.values(), *decided.state.problems)

    def send(self, subject: str, sentences: Sequence[str]) -> None:
        self.alarms.append((subject, tuple(sentences)))

    def feeds(self) -> Any:
        rig = self

        class Feeds:
            def read_feed(self, where: str) -> str:
                assert where == rig.cluster.timetable
                if rig.unreadable:
                    raise Transient("no answer")
                return rig.text

        return Feeds()

    def read_cluster(self, name: str) -> Cluster:
        assert name == "lab"
        return self.cluster

    def view(self, asg: str) -> Group:
        assert asg == self.cluster.asg
        return self.group

    def durations_s(self, cluster: str) -> list[float]:
        self.measured += 1
        return [30.0] * 9

    def sees(self, used: int = 0, waiting: int = 0, availability: str = "active") -> None:
        node = NodeSeen("n1", ONE, "ready", availability, 7, used, "2027-01-15T07:00:00Z")
        self.snapshots.write_snapshot(Snapshot("lab", self.clock.now(), (node,), used, waiting))


@pytest.fixture
def rig() -> Rig:
    rig = Rig(timetable="ssm:/labswarm/timetables/lab")
    rig.sees()
    return rig


def test_a_booked_lab_raises_the_cluster_ahead_by_the_measured_start(rig: Rig) -> None:
    decision, problems = rig.minute()

    # 90 s ahead: in two minutes is too early.
    assert (decision.acts, problems) == (False, ())
    rig.clock.sleep(30)
    decided = rig.hours.decision("lab")
    assert actions_of(decided.decision) == [{"do": "grow", "desired": 2}]
    assert decided.snapshot is not None
    assert execution_name(decided.decision, decided.snapshot) == "lab-1800000000000"
    assert rig.measured == 1


@pytest.mark.parametrize("text", ["<html>sign in</html>", "x" * 1_000_001])
def test_the_last_good_copy_is_kept_when_the_answer_is_no_feed(rig: Rig, text: str) -> None:
    rig.minute()
    rig.text = text
    rig.clock.sleep(60)

    decision, problems = rig.minute()

    assert decision.desired == 2
    assert "the last good copy is used: timetable" in problems[0]
    # As long as it stays so it is reported, and not read again.
    rig.timetables._begin = None  # type: ignore[assignment]  # to be called is to fail
    assert rig.minute()[1] == problems


def test_the_last_good_copy_is_kept_when_nothing_comes(rig: Rig) -> None:
    rig.minute()
    rig.unreadable = True
    rig.clock.sleep(60)

    decision, problems = rig.minute()

    assert (decision.desired, problems) == (2, ("the last good copy is used: no answer",))


def test_a_changed_feed_is_read_at_once_and_a_bad_event_in_it_is_named(rig: Rig) -> None:
    rig.minute()
    rig.text = FEED.format(seats="many")

    decision, problems = rig.minute()

    assert decision.seats == 2
    assert problems == BAD


def test_more_seats_than_the_cluster_can_have_are_booked_up_to_its_limit(rig: Rig) -> None:
    rig.minute()
    rig.text = FEED.format(seats=141)

    _, (problem,) = rig.minute()

    assert "asks for 141 seats, and the cluster has 140 at most. 140 are booked." in problem
    assert [booking.seats for booking in rig.states.read_state("lab").bookings] == [140]
    # As soon as the limit is higher the rest is booked too, from the same feed.
    rig.group = replace(rig.group, most=21)
    assert rig.minute()[1] == ()
    assert [booking.seats for booking in rig.states.read_state("lab").bookings] == [141]


def test_a_bad_event_is_named_in_an_alarms_text_once(rig: Rig) -> None:
    rig.text = FEED.format(seats="many")

    for _ in range(3):
        rig.minute()

    assert rig.alarms == [("labswarm: the timetable of lab", BAD)]
    # Corrected and bad again is news again.
    for seats in (12, "many"):
        rig.text = FEED.format(seats=seats)
        rig.minute()
    assert [sentences for _, sentences in rig.alarms] == [BAD, BAD]


def test_of_many_bad_events_the_first_are_named_and_the_others_counted(rig: Rig) -> None:
    begin, end = FEED.index("BEGIN:VEVENT"), FEED.index("END:VCALENDAR")
    one = FEED[begin:end].format(seats="many")
    events = (one.replace("UID:1", f"UID:{number}") for number in range(30))
    rig.text = FEED[:begin] + "".join(events) + FEED[end:]

    _, problems = rig.minute()

    assert problems == (*BAD * 20, "10 more events have problems. Correct these first.")


def test_an_alarm_that_could_not_be_sent_is_sent_by_the_next_minute(rig: Rig) -> None:
    rig.text = FEED.format(seats="many")
    send, rig.hours._alarms = rig.hours._alarms, Mute()

    with pytest.raises(Transient):
        rig.minute()
    rig.hours._alarms = send
    rig.minute()

    assert len(rig.alarms) == 1


def test_a_node_that_starts_no_servers_raises_an_alarm_once(rig: Rig) -> None:
    for refused in (1, 2, 3):
        node = NodeSeen("n1", ONE, "ready", "active", 7, 0, "2027-01-15T07:00:00Z", refused)
        rig.snapshots.write_snapshot(Snapshot("lab", rig.clock.now(), (node,), 0, 0))
        rig.minute()
        rig.clock.sleep(10)

    ((subject, (sentence,)),) = rig.alarms
    assert subject == "labswarm: nodes of lab start no servers"
    assert sentence.startswith(f"{ONE}: the servers of 2 students ended there before they ran")


def claim(transition: Transition, closed_at: int | None) -> Claim:
    return Claim(
        instance_id=ONE,
        transition=transition,
        owner=OWNER,
        lease_until=int(NOW),
        tokens={},
        hook="",
        asg="labswarm-lab-workers",
        cluster="lab",
        opened_at=int(NOW) - 100,
        phases=(Phase("claimed", int(NOW) - 100),),
        closed_at=closed_at,
    )


@pytest.mark.parametrize(
    ("transition", "closed_at", "does"),
    [
        ("rebalance", None, {"do": "grow", "desired": 2}),
        ("rebalance", int(NOW), {"do": "grow", "desired": 2}),
        ("terminate", None, {"do": "grow", "desired": 2}),
        # It has been in a warm pool since.
        ("terminate", int(NOW), {"do": "activate", "instance_id": ONE}),
        ("launch", int(NOW), {"do": "activate", "instance_id": ONE}),
    ],
)
def test_a_node_paused_for_good_is_not_opened_again(
    transition: Transition, closed_at: int | None, does: dict[str, Any]
) -> None:
    rig = Rig()
    rig.ledger.write_claim(claim(transition, closed_at))
    rig.sees(used=3, availability="pause")

    assert actions_of(rig.hours.decision("lab").decision) == [does]


def test_an_empty_node_that_ec2_would_take_is_ended_when_another_is_there() -> None:
    rig = Rig()
    rig.ledger.write_claim(claim("rebalance", int(NOW)))
    rig.group = Group(desired=2, least=0, most=20, in_service=frozenset({ONE, TWO}))
    nodes = (
        NodeSeen("n1", ONE, "ready", "pause", 7, 0, "2027-01-15T07:00:00Z"),
        NodeSeen("n2", TWO, "ready", "active", 7, 1, "2027-01-15T07:00:00Z"),
    )
    rig.snapshots.write_snapshot(Snapshot("lab", NOW, nodes, 1, 0))

    assert actions_of(rig.hours.decision("lab").decision) == [
        {"do": "terminate", "instance_id": ONE}
    ]


def test_a_cluster_without_a_timetable_forgets_its_labs(rig: Rig) -> None:
    rig.minute()
    rig.cluster = replace(rig.cluster, timetable=None)
    rig.clock.sleep(60)

    assert not rig.hours.decision("lab").decision.acts
    assert rig.states.read_state("lab").bookings == ()


def test_the_clusters_own_bounds_are_within_the_groups() -> None:
    rig = Rig(min_nodes=3, max_nodes=30)
    rig.sees()

    assert rig.hours.decision("lab").decision.desired == 3
    rig.group = replace(rig.group, most=2)
    assert rig.hours.decision("lab").decision.desired == 2


def test_lab_hours_launch_one_in_ten_minutes_while_launches_fail_and_go_on_once_one_joins() -> None:
    rig = Rig(min_nodes=5)
    for instance_id in ("i-1", "i-2", "i-3"):
        rig.breakers.failed("lab", instance_id, int(rig.clock.now()))

    asked = []
    for _ in range(12):
        rig.sees()
        decision = rig.hours.decision("lab").decision
        asked.append((decision.desired, decision.held))
        rig.clock.sleep(60)
    assert asked == [(None, True)] * 10 + [(2, True)] * 2

    rig.breakers.joined("lab")
    rig.sees()
    assert rig.hours.decision("lab").decision.desired == 5


def test_a_cluster_that_wants_no_node_does_not_look_at_its_breaker(rig: Rig) -> None:
    rig.breakers.read_breaker = None  # type: ignore[assignment, method-assign]  # to be called is to fail

    assert rig.hours.decision("lab").decision.desired is None


def test_a_quiet_minute_writes_nothing(rig: Rig) -> None:
    rig.minute()
    kept = rig.states.read_state("lab")
    rig.states.write_state = None  # type: ignore[assignment, method-assign]  # to be called is to fail

    rig.minute()

    assert LabHoursState.parse(kept.to_json()) == kept
    assert kept.bookings == (Booking("Physics", NOW + 120, NOW + 7200, 12),)


class TwinGroup:
    def __init__(self, desired: int, state: str = "InService") -> None:
        self.desired = desired
        self.members = {ONE: Member("labswarm-lab-workers", state)}
        self.at_minimum = False

    def member(self, instance_id: str) -> Member | None:
        return self.members.get(instance_id)

    def size(self, asg: str) -> Size:
        return Size(self.desired, 20)

    def resize(self, asg: str, desired: int) -> None:
        self.desired = desired

    def shrink(self, instance_id: str) -> bool:
        if self.at_minimum:
            return False
        del self.members[instance_id]
        self.desired -= 1
        return True


CLUSTER = Cluster.parse(json.dumps(DESCRIPTION))


def acted(group: TwinGroup, servers: object = 0, **action: object) -> str:
    """Change the group's size; `servers` run on the node, as its pause answered."""
    return Sizing(cast(Any, group)).act(CLUSTER, action, servers)


@pytest.mark.parametrize(("wanted", "desired"), [(5, 5), (2, 3), (3, 3)])
def test_a_group_only_ever_grows(wanted: int, desired: int) -> None:
    group = TwinGroup(3)
    acted(group, do="grow", desired=wanted)

    assert group.desired == desired


def test_an_empty_node_is_ended_and_its_group_is_one_smaller() -> None:
    group = TwinGroup(2)

    assert acted(group, do="terminate", instance_id=ONE) == "terminate"
    assert (group.desired, group.members) == (1, {})
    assert acted(group, do="terminate", instance_id=ONE) == "is going already"
    assert group.desired == 1


def test_a_group_that_does_not_let_a_node_go_is_an_error() -> None:
    group = TwinGroup(1)
    group.at_minimum = True

    with pytest.raises(Permanent, match=f"refused to terminate {ONE} of labswarm-lab-workers"):
        acted(group, do="terminate", instance_id=ONE)


def test_a_node_on_which_someone_has_come_meanwhile_stays() -> None:
    group = TwinGroup(2)

    assert acted(group, 1, do="terminate", instance_id=ONE) == "is not empty"
    assert group.desired == 2


def test_a_node_that_nobody_has_paused_is_not_ended() -> None:
    """As an execution asks that began before a deploy."""
    group = TwinGroup(2)

    with pytest.raises(BadInput, match="servers: is None; pause the node, and count them"):
        acted(group, None, do="terminate", instance_id=ONE)
    assert group.desired == 2


def test_a_node_that_terminates_already_is_not_counted_off_twice() -> None:
    group = TwinGroup(2, "Terminating:Wait")

    assert acted(group, do="terminate", instance_id=ONE) == "is going already"
    assert group.desired == 2


@pytest.mark.parametrize(
    "action",
    [{"do": "drain", "instance_id": ONE}, {"do": "pause", "instance_id": ONE}, {"do": "grow"}, {}],
)
def test_an_unknown_action_is_refused(action: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="action"):
        acted(TwinGroup(1), **action)


# Bookings of the hub's page


def booked(seats: int, start: str, end: str) -> StoredBooking:
    return StoredBooking("physics0", "lab", "Physics", start, end, "UTC", seats, "curie")


def test_a_booking_of_the_page_brings_nodes_as_a_feed_does_and_both_add_up() -> None:
    rig = Rig(timetable="ssm:/labswarm/timetables/lab")
    rig.sees()
    rig.minute()
    rig.bookings.write_booking(booked(30, "2027-01-15T08:02", "2027-01-15T10:00"))
    rig.clock.sleep(60)
    rig.sees()

    decision, problems = rig.minute()

    assert (decision.seats, problems) == (12 + 30, ())


def test_a_booking_counts_in_the_next_minute_without_a_feed_and_no_more_once_removed() -> None:
    rig = Rig(headroom=0)
    rig.sees()
    assert rig.minute()[0].seats == 0
    written = rig.bookings.write_booking(booked(30, "2027-01-15T08:01", "2027-01-15T10:00"))
    assert rig.minute()[0].seats == 30

    assert written is not None
    assert rig.bookings.remove_booking(written)

    assert rig.minute()[0].seats == 0


# On demand while spot has no capacity


def short_of_spot(rig: Rig) -> None:
    """The lab's node is asked for, and EC2 refuses it."""
    rig.minute()
    rig.clock.sleep(60)
    rig.sees()
    rig.group = replace(rig.group, desired=2, mix=Mix(0, 0))
    rig.purchases.refused.append(Refusal(rig.clock.now() - 30, Market.SPOT))


def test_a_refused_spot_instance_is_bought_on_demand_once_and_people_read_of_it(rig: Rig) -> None:
    short_of_spot(rig)

    actions = actions_of(rig.hours.decision("lab").decision)

    assert actions == [{"do": "buy", "on_demand_base": 1}]
    state = rig.states.read_state("lab")
    assert (state.refused, state.own_base) == ("spot", 0)
    rig.hours.decision("lab")
    assert [subject for subject, _ in rig.alarms] == ["labswarm: lab buys on demand"]


def test_the_groups_own_base_is_known_until_it_has_it_again(rig: Rig) -> None:
    short_of_spot(rig)
    rig.hours.decision("lab")
    rig.purchases.bought = {TWO}
    rig.group = replace(rig.group, in_service=frozenset({ONE, TWO}), mix=Mix(1, 0))
    rig.clock.sleep(RECENT_S)
    rig.sees()
    assert not rig.hours.decision("lab").decision.acts

    rig.group = replace(rig.group, desired=1, in_service=frozenset({ONE}))
    rig.sees(used=1)
    assert rig.hours.decision("lab").decision.on_demand_base == 0
    assert rig.states.read_state("lab").own_base == 0
    rig.group = replace(rig.group, mix=Mix(0, 0))
    rig.hours.decision("lab")
    state = rig.states.read_state("lab")
    assert (state.own_base, state.refused, state.refused_since) == (None, "", 0)


def test_without_a_lab_the_state_says_which_market_refuses_and_nothing_is_bought(rig: Rig) -> None:
    rig.cluster = replace(rig.cluster, timetable=None)
    rig.group = replace(rig.group, desired=2, mix=Mix(0, 0))
    rig.purchases.refused += [Refusal(NOW - ago, Market.SPOT) for ago in (90, 89, 30)]

    assert rig.hours.decision("lab").decision.on_demand_base is None
    state = rig.states.read_state("lab")
    assert (state.refused, state.refused_since, state.own_base) == ("spot", NOW, None)
    assert state.next_try_at == NOW + 30


def test_buying_on_demand_changes_the_base_and_may_be_done_again() -> None:
    groups = TwinGroups({}, Size(2, 4), mix=Mix(0, 0))

    def buy(base: int) -> str:
        return Sizing(groups).act(CLUSTER, {"do": "buy", "on_demand_base": base}, None)

    assert [buy(2), buy(2)] == ["buy", "was so already"]
    assert groups.mix == Mix(2, 0)
    with pytest.raises(BadInput, match="action"):
        buy(-1)


# An exam


def test_the_group_buys_on_demand_before_it_grows() -> None:
    groups = TwinGroups({}, Size(0, 4), mix=Mix(0, 0))
    action = {"do": "buy", "on_demand_base": 2, "desired": 2}

    assert [Sizing(groups).act(CLUSTER, action, None) for _ in range(2)] == [
        "grow",
        "was as large already",
    ]
    assert (groups.mix, groups.size(CLUSTER.asg).desired) == (Mix(2, 0), 2)


def booked_exam(rig: Rig) -> None:
    starts = datetime.fromtimestamp(NOW + 240, UTC)
    rig.bookings.write_booking(
        StoredBooking.parse(
            {
                "id": "exam0001",
                "cluster": "lab",
                "title": "Physics",
                "start": f"{starts:%Y-%m-%dT%H:%M}",
                "end": f"{starts:%Y-%m-%d}T10:00",
                "time_zone": "UTC",
                "seats": 14,
                "created_by": "curie",
                "group": "physics",
                "options": {"exam": "1"},
            }
        )
    )


def test_a_booked_exam_is_bought_on_demand_without_an_alarm_and_the_base_comes_back() -> None:
    rig = Rig()
    rig.group = replace(rig.group, mix=Mix(0, 0))
    rig.sees()
    booked_exam(rig)

    actions = actions_of(rig.hours.decision("lab").decision)

    assert {"do": "buy", "on_demand_base": 2, "desired": 3} in actions
    assert {"do": "pause", "instance_id": ONE} in actions
    assert (rig.alarms, rig.states.read_state("lab").own_base) == ([], 0)
    assert [one.seats for one in rig.states.read_state("lab").exams] == [14]

    # The exam's nodes have ended after it.
    rig.group = replace(rig.group, desired=1, in_service=frozenset({ONE}), mix=Mix(2, 0))
    rig.clock.sleep(3 * 3600)
    rig.sees(used=1)
    assert rig.hours.decision("lab").decision.on_demand_base == 0
