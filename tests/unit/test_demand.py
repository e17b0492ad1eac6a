"""The decision about a cluster's size: within limits, never below what runs, monotone in demand;
and the replacement of nodes of an older launch template, which cuts nobody off."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labswarm.groups import Group, Mix
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.decide import actions_of
from labswarm.lab_hours.demand import TICK_S, Situation, decide, start_ahead_s
from labswarm.lab_hours.exams import COPIES_S
from labswarm.lab_hours.purchases import Bought, Market, lowest_base, refusal
from labswarm.snapshot import NodeSeen, Snapshot

NOW = 1_800_000_000.0


def node(
    number: int, used: int = 0, availability: str = "active", state: str = "ready"
) -> NodeSeen:
    return NodeSeen(
        f"n{number:04}", f"i-{number:08x}", state, availability, 7, used, "2026-11-24T08:00:00Z"
    )


def situation(
    *nodes: NodeSeen,
    waiting: int = 0,
    desired: int | None = None,
    least: int = 0,
    most: int = 20,
    headroom: int = 2,
    bookings: tuple[Booking, ...] = (),
    taken_at: float = NOW,
) -> Situation:
    running = sum(n.seats_used for n in nodes)
    return Situation(
        cluster="lab",
        now=NOW,
        snapshot=Snapshot("lab", taken_at, nodes, running, waiting),
        group=Group(
            desired=len(nodes) if desired is None else desired,
            least=least,
            most=most,
            in_service=frozenset(str(n.instance_id) for n in nodes),
        ),
        bookings=bookings,
        headroom=headroom,
        ahead_s=300,
        node_seats=7,
    )


def lab(starts_in: float, seats: int, lasts: float = 3600) -> Booking:
    return Booking("Lab", NOW + starts_in, NOW + starts_in + lasts, seats)


def test_the_last_node_is_paused_and_ended_where_no_seat_is_wanted() -> None:
    assert decide(situation(node(1), headroom=0)).pause == ("i-00000001",)
    assert decide(situation(node(1, availability="pause"), headroom=0)).terminate == ("i-00000001",)


@pytest.mark.parametrize(("starts_in", "kept"), [(301, True), (600, True), (601, False)])
def test_a_node_that_a_lab_soon_needs_is_neither_paused_nor_ended(
    starts_in: float, kept: bool
) -> None:
    """Soon is twice the start-ahead: another node could hardly be there in time."""
    bookings = (lab(starts_in, 14),)

    opened = decide(situation(node(1), node(2), headroom=0, bookings=bookings))
    paused = decide(
        situation(node(1, availability="pause"), node(2), headroom=0, bookings=bookings)
    )

    assert opened.nodes == 0, "no node is asked for yet"
    assert (opened.pause == ()) == kept
    assert (paused.terminate == ()) == kept


def test_one_student_keeps_a_node_with_seats_to_spare() -> None:
    assert decide(situation(node(1, used=1), node(2), headroom=0)).pause == ("i-00000002",)
    assert decide(situation(node(1, used=6), node(2), headroom=0)).pause == ()


def test_a_quiet_cluster_within_its_headroom_has_nothing_to_do() -> None:
    decision = decide(situation(node(1, used=3)))

    assert not decision.acts
    assert (decision.seats, decision.nodes) == (5, 1)


def test_students_in_line_raise_it_at_once() -> None:
    decision = decide(situation(node(1, used=7), waiting=5))

    assert decision.desired == 2
    assert "14 seats wanted: 7 running, 5 waiting, 2 of headroom" in decision.reasons


def test_nodes_that_start_are_not_asked_for_twice() -> None:
    assert not decide(situation(node(1, used=7), waiting=5, desired=2)).acts


def test_an_instance_in_service_that_the_snapshot_does_not_know_yet_is_not_asked_for_twice() -> (
    None
):
    before = situation(node(1, used=7), waiting=5, desired=2)
    group = replace(before.group, in_service=before.group.in_service | {"i-0000000f"})

    assert not decide(replace(before, group=group)).acts


@pytest.mark.parametrize(("starts_in", "desired"), [(301, None), (300, 2), (0, 2), (-3600, None)])
def test_a_booked_lab_is_ready_before_it_starts_and_over_when_it_ends(
    starts_in: float, desired: int | None
) -> None:
    assert decide(situation(node(1), bookings=(lab(starts_in, 12),))).desired == desired


def test_labs_at_once_add_up_and_who_is_there_has_arrived() -> None:
    decision = decide(situation(node(1, used=5), bookings=(lab(0, 12), lab(60, 8))))

    assert decision.seats == 20
    assert "15 booked and not yet arrived" in decision.reasons[0]


def test_a_paused_node_is_opened_before_one_is_launched() -> None:
    decision = decide(
        situation(node(1, used=7), node(2, 1, "pause"), node(3, 2, "pause"), waiting=1)
    )

    assert decision.activate == ("i-00000003",)
    assert (decision.desired, decision.terminate) == (None, ())


def test_the_nodes_with_the_fewest_students_are_paused_and_none_is_ended_with_students() -> None:
    decision = decide(situation(node(1, used=1), node(2, used=2), node(3, used=0)))

    assert decision.pause == ("i-00000003", "i-00000001")
    assert decision.terminate == ()


def test_a_paused_node_is_ended_only_when_it_is_empty() -> None:
    decision = decide(situation(node(1, 2), node(2, 0, "pause"), node(3, 1, "pause")))

    assert decision.terminate == ("i-00000002",)


def test_the_minimum_stays() -> None:
    decision = decide(situation(node(1), node(2, 0, "pause"), node(3, 0, "pause"), least=2))

    assert decision.activate == ("i-00000002",)
    assert decision.terminate == ("i-00000003",)


def test_it_does_not_shrink_to_where_it_would_grow_again_at_once() -> None:
    # 7 seats are wanted: one node would do, with no room for the next student.
    assert not decide(situation(node(1, used=4), node(2, used=1))).acts
    assert decide(situation(node(1, used=3), node(2, used=0))).pause == ("i-00000002",)


def test_it_does_not_shrink_while_a_node_starts() -> None:
    assert not decide(situation(node(1), node(2), desired=3)).acts


def test_a_node_that_is_down_has_no_seats() -> None:
    assert decide(situation(node(1, state="down"))).desired == 2


def test_without_a_snapshot_or_with_an_old_one_nothing_is_decided() -> None:
    old = situation(node(1, used=7), waiting=5, taken_at=NOW - 121)

    assert not decide(old).decided
    assert not decide(old).acts
    assert decide(old).reasons == ("the snapshot is 121 s old",)
    assert not decide(replace(old, snapshot=None)).decided


def test_a_size_that_is_held_by_hand_is_left() -> None:
    held = situation(node(1, used=7), waiting=5)

    assert not decide(replace(held, group=replace(held.group, held=True))).acts


def test_the_first_node_says_how_many_seats_a_node_has() -> None:
    empty = replace(situation(bookings=(lab(0, 120),)), node_seats=None)

    assert decide(empty).desired == 1
    assert decide(replace(empty, node_seats=10)).desired == 12


def test_nodes_are_asked_for_as_far_ahead_as_nearly_all_starts_took() -> None:
    assert start_ahead_s([10.0] * 4, 240) == 240 + TICK_S
    assert start_ahead_s([*(float(s) for s in range(1, 20)), 900.0], 240) == 19 + TICK_S


NODES = st.lists(
    st.tuples(
        st.integers(0, 7), st.sampled_from(["active", "pause"]), st.sampled_from(["ready", "down"])
    ),
    max_size=12,
).map(lambda all_: [node(i, *one) for i, one in enumerate(all_)])


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    nodes = draw(NODES)
    least = draw(st.integers(0, 5))
    most = draw(st.integers(least, 15))
    return situation(
        *nodes,
        waiting=draw(st.integers(0, 40)),
        desired=max(0, len(nodes) + draw(st.integers(-1, 3))),
        least=least,
        most=most,
        headroom=draw(st.integers(0, 10)),
        bookings=tuple(
            draw(st.lists(st.builds(lab, st.integers(-400, 400), st.integers(1, 60)), max_size=3))
        ),
    )


def is_within_the_limits(before: Situation) -> None:
    decision = decide(before)
    group, snapshot = before.group, before.snapshot
    assert snapshot is not None
    assert decision.nodes is not None

    assert group.least <= decision.nodes <= group.most
    assert decision.nodes >= min(group.most, math.ceil(snapshot.running / 7))
    assert decision.desired is None or group.desired < decision.desired <= group.most
    used = {n.instance_id: n.seats_used for n in snapshot.nodes}
    available = {n.instance_id: n.availability for n in snapshot.nodes}
    assert all(used[i] == 0 and available[i] == "pause" for i in decision.terminate)
    assert group.desired - len(decision.terminate) >= min(group.desired, group.least)
    assert {*decision.activate, *decision.pause, *decision.terminate} <= group.in_service


def goes_one_way(before: Situation) -> None:
    decision = decide(before)
    up = decision.desired is not None or bool(decision.activate)
    assert not (up and decision.pause)
    assert decision.desired is None or not decision.terminate
    assert not set(decision.activate) & set(decision.terminate)


@given(situations())
def test_always_within_the_limits_and_never_below_the_running_servers(before: Situation) -> None:
    is_within_the_limits(before)


@given(situations())
def test_it_never_grows_and_shrinks_at_once(before: Situation) -> None:
    goes_one_way(before)


@given(situations(), st.integers(0, 20), st.integers(0, 5), st.integers(0, 50))
def test_more_demand_never_wants_fewer_nodes(
    before: Situation, waiting: int, headroom: int, booked: int
) -> None:
    assert before.snapshot is not None
    snapshot = replace(before.snapshot, waiting=before.snapshot.waiting + waiting)
    more = replace(
        before,
        snapshot=snapshot,
        headroom=before.headroom + headroom,
        bookings=(*before.bookings, lab(0, booked + 1)),
    )
    less_wanted, more_wanted = decide(before), decide(more)

    assert (more_wanted.nodes or 0) >= (less_wanted.nodes or 0)
    assert len(more_wanted.terminate) <= len(less_wanted.terminate)


# Nodes of an older launch template


def rolled(before: Situation, *versions: int) -> Situation:
    """The situation with its nodes made of these versions, in order."""
    assert before.snapshot is not None
    known = dict(zip((str(n.instance_id) for n in before.snapshot.nodes), versions, strict=True))
    return replace(before, group=replace(before.group, versions=known))


def test_nodes_of_an_older_template_go_when_a_newer_one_has_room_for_who_may_come() -> None:
    # The three on the first stay there, and so do the five on the second: nobody is ended.
    before = rolled(situation(node(1, 3), node(2, 5), node(3)), 1, 1, 2)

    decision = decide(before)

    assert decision.pause == ("i-00000001", "i-00000002")
    assert (decision.terminate, decision.desired) == ((), None)
    assert "of an older launch template: i-00000001, i-00000002" in decision.reasons


def test_an_older_node_is_ended_when_it_is_empty_and_not_before() -> None:
    before = rolled(situation(node(1, 3, "pause"), node(2, 0, "pause"), node(3)), 1, 1, 2)

    decision = decide(before)

    assert (decision.terminate, decision.pause, decision.activate) == (("i-00000002",), (), ())


def test_as_many_are_launched_as_it_takes_to_pause_the_older_ones() -> None:
    idle = rolled(situation(node(1), node(2), node(3), least=3), 1, 1, 2)
    late = replace(idle, group=replace(idle.group, most=4))

    assert decide(idle).desired == 5
    assert decide(late).desired == 4


def test_a_group_at_its_maximum_waits_for_who_leaves() -> None:
    assert not decide(rolled(situation(node(1, 5), node(2, 5), most=2), 1, 2)).acts


def test_a_version_that_no_node_has_come_of_makes_no_other_one_old() -> None:
    before = rolled(situation(node(1), node(2, state="down"), least=1), 1, 2)

    assert not decide(before).acts


def test_who_waits_is_served_by_an_older_node_rather_than_by_none() -> None:
    before = rolled(situation(node(1, 2, "pause"), node(2, 7), waiting=2), 1, 2)

    assert decide(before).activate == ("i-00000001",)


def test_no_more_are_launched_where_the_group_went_back_to_the_older_template() -> None:
    newer, older = node(1), replace(node(2), created_at="2026-11-24T09:00:00Z")

    assert not decide(rolled(situation(newer, older, least=2), 2, 1)).acts
    assert decide(rolled(situation(newer, older, least=2), 1, 2)).desired == 3


@st.composite
def rollings(draw: st.DrawFn) -> Situation:
    before = draw(situations())
    assert before.snapshot is not None
    count = len(before.snapshot.nodes)
    return rolled(before, *draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)))


@given(rollings())
def test_rolling_never_ends_a_node_with_servers_nor_leaves_too_few_seats(before: Situation) -> None:
    is_within_the_limits(before)
    goes_one_way(before)
    decision, snapshot = decide(before), before.snapshot
    assert snapshot is not None
    assert decision.seats is not None
    if not decision.pause:
        return
    # Present students stay; for all others there are open nodes, with room to spare.
    ready = {str(n.instance_id): n for n in snapshot.nodes if n.state == "ready"}
    newest = max(before.group.versions[i] for i in ready)
    still_open = {i for i, n in ready.items() if n.availability == "active"} - {*decision.pause}
    stay = sum(
        n.seats_used
        for i, n in ready.items()
        if i not in still_open and before.group.versions[i] < newest
    )
    assert len(still_open) * 7 >= min(decision.seats - stay, before.group.most * 7)
    assert len(still_open) >= before.group.least


class Rolled:
    """A cluster minute by minute: decisions are carried out, a launch opens a minute later."""

    def __init__(self, used: list[int], least: int, most: int) -> None:
        self.nodes = {i: node(i, count) for i, count in enumerate(used)}
        self.version = dict.fromkeys(self.nodes, 1)
        self.least, self.most = least, most
        self.desired, self.ended = len(used), 0
        self.launch(0)

    def launch(self, minute: int) -> None:
        """One more of the newest version is there."""
        number = len(self.version)
        joined = f"2026-11-24T{8 + minute // 60:02}:{minute % 60:02}:30Z"
        self.nodes[number] = replace(node(number), created_at=joined)
        self.version[number] = 2
        self.desired = max(self.desired, len(self.nodes))

    def minute(self, minute: int, leaving: Mapping[int, int]) -> None:
        for number, count in leaving.items():
            if number in self.nodes:
                seen = self.nodes[number]
                left = max(0, seen.seats_used - count)
                self.nodes[number] = replace(seen, seats_used=left)
        before = situation(*self.nodes.values(), least=self.least, most=self.most)
        before = replace(before, group=replace(before.group, desired=self.desired))
        decision = decide(rolled(before, *(self.version[n] for n in self.nodes)))
        by_id = {str(n.instance_id): number for number, n in self.nodes.items()}
        for availability, chosen in (("active", decision.activate), ("pause", decision.pause)):
            for i in chosen:
                seen = self.nodes[by_id[i]]
                self.nodes[by_id[i]] = replace(seen, availability=availability)
        for i in decision.terminate:
            assert self.nodes.pop(by_id[i]).seats_used == 0
            self.desired -= 1
        self.desired = decision.desired or self.desired
        assert self.desired <= self.most
        while len(self.nodes) < self.desired:
            self.launch(minute)

    @property
    def all_new(self) -> bool:
        return all(self.version[number] == 2 for number in self.nodes)


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=8),
    st.integers(0, 8),
    st.integers(1, 4),
    st.lists(st.dictionaries(st.integers(0, 12), st.integers(1, 7)), max_size=10),
)
def test_a_cluster_with_one_place_to_spare_is_all_new_when_the_class_has_left(
    used: list[int], least: int, spare: int, leaving: list[dict[int, int]]
) -> None:
    cluster = Rolled(used, min(least, len(used)), len(used) + spare)

    for minute in range(60):
        everyone = dict.fromkeys(range(100), 7)
        cluster.minute(minute, leaving[minute] if minute < len(leaving) else everyone)

    assert cluster.all_new
    assert len(cluster.nodes) == max(cluster.least, 1)


# On demand while spot has no capacity

SPOT = Bought(Market.SPOT, NOW - 60)
SPOT_ONLY = Mix(0, 0)


def ids(count: int) -> frozenset[str]:
    return frozenset(f"i-{number:08x}" for number in range(1, count + 1))


def unlaunched(
    *,
    missing: int = 3,
    pending: int = 0,
    mix: Mix | None = SPOT_ONLY,
    bought: Bought = SPOT,
    bookings: tuple[Booking, ...] = (lab(200, 21),),
) -> Situation:
    """A cluster that was asked to grow. EC2 has not launched the `missing` instances."""
    found = situation(bookings=bookings, headroom=0)
    starting = frozenset(f"i-{n:08x}" for n in range(pending))
    group = replace(found.group, desired=missing + pending, pending=starting, mix=mix)
    return replace(found, group=group, bought=bought)


def test_what_spot_refuses_to_a_booked_lab_is_bought_on_demand() -> None:
    decision = decide(unlaunched())

    assert decision.on_demand_base == 3
    assert decision.acts
    assert "EC2 refuses spot: 3 nodes on demand for booked labs" in decision.reasons


def test_no_more_than_the_labs_need_is_bought_on_demand() -> None:
    assert decide(unlaunched(missing=5)).on_demand_base == 3
    assert decide(unlaunched(missing=5, pending=2)).on_demand_base == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"bookings": ()},
        {"bookings": (lab(301, 21),)},
        {"bought": Bought()},
        {"bought": Bought(Market.ON_DEMAND, NOW - 60)},
        {"mix": None},
        {"missing": 0, "pending": 3},
    ],
    ids=["unbooked", "not yet", "not refused", "refused on demand", "no mix", "all launched"],
)
def test_nothing_is_bought_on_demand_without_a_reason(changed: dict[str, Any]) -> None:
    assert decide(unlaunched(**changed)).on_demand_base is None


def test_where_spot_has_some_the_next_try_is_waited_for() -> None:
    first = Bought(Market.SPOT, NOW)

    assert decide(unlaunched(missing=1, pending=2, bought=first)).on_demand_base is None
    assert decide(unlaunched(missing=1, pending=2)).on_demand_base == 1
    assert decide(unlaunched(missing=3, bought=first)).on_demand_base == 3


def test_the_base_is_lowered_as_the_nodes_on_demand_end_and_no_further_than_its_own() -> None:
    def lowered(on_demand: int, own: int = 1) -> int | None:
        found = situation(node(1, used=7), node(2, used=7), headroom=0)
        group = replace(found.group, mix=Mix(4, 0))
        bought = Bought(instances=ids(on_demand), own_base=own)
        return decide(replace(found, group=group, bought=bought)).on_demand_base

    assert [lowered(4, 4), lowered(2), lowered(0), lowered(0, 0)] == [None, 2, 1, 0]


def test_the_base_is_lowered_only_when_nothing_starts_or_on_demand_is_refused_too() -> None:
    raised = Bought(Market.SPOT, NOW - 60, ids(1), own_base=0)
    neither = replace(raised, refused=Market.ON_DEMAND)

    starts = unlaunched(missing=0, pending=3, mix=Mix(3, 0), bought=raised)
    assert decide(starts).on_demand_base is None
    refused = unlaunched(missing=2, pending=1, mix=Mix(3, 0), bought=neither)
    assert decide(refused).on_demand_base == 1


@given(
    own=st.integers(0, 5),
    percent=st.integers(0, 100),
    on_demand=st.integers(0, 30),
    nodes=st.integers(0, 30),
)
def test_the_base_asks_for_the_nodes_on_demand_and_for_as_few_more_as_possible(
    own: int, percent: int, on_demand: int, nodes: int
) -> None:
    base = lowest_base(Mix(own, percent), own, on_demand, nodes)

    assert base >= own
    assert Mix(base, percent).on_demand(nodes) >= min(on_demand, nodes)
    if base > own:
        assert Mix(base - 1, percent).on_demand(nodes) < on_demand


@pytest.mark.parametrize(
    ("message", "market"),
    [
        (
            "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity "
            "due to your request configuration. Launching EC2 instance failed.",
            Market.SPOT,
        ),
        (
            "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot "
            "capacity available that matches your request. Launching EC2 instance failed.",
            Market.SPOT,
        ),
        (
            "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance "
            "count exceeded. Launching EC2 instance failed.",
            Market.SPOT,
        ),
        (
            "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more "
            "vCPU capacity than your current vCPU limit of 0 allows",
            Market.ON_DEMAND,
        ),
        (
            "Could not launch Spot Instances. InvalidParameterCombination - The specified "
            "instance type is not eligible for Free Tier.",
            None,
        ),
        ("Instance failed to complete user's Lifecycle Action", None),
        ("", None),
    ],
)
def test_a_refusal_is_known_by_its_code(message: str, market: Market | None) -> None:
    assert refusal(message) is market


# An exam

EXAM = lab(200, 14)


def exam(
    *nodes: NodeSeen, on_demand: int = 0, mix: Mix | None = SPOT_ONLY, **more: int
) -> Situation:
    """An exam of 14 seats begins soon. The first `on_demand` nodes are on demand."""
    found = situation(*nodes, bookings=(EXAM,), headroom=0, **more)
    return replace(
        found,
        exams=(EXAM,),
        group=replace(found.group, mix=mix),
        bought=Bought(instances=ids(on_demand)),
    )


def test_an_exams_nodes_are_bought_on_demand_in_one_action() -> None:
    decision = decide(exam())

    assert (decision.on_demand_base, decision.desired) == (2, 2)
    assert actions_of(decision) == [{"do": "buy", "on_demand_base": 2, "desired": 2}]
    assert "2 nodes on demand for the exam" in decision.reasons


def test_a_spot_node_takes_no_student_of_an_exam() -> None:
    """EC2 takes back and recommends to leave spot instances only, so no exam is moved by either."""
    decision = decide(exam(node(1, used=3), node(2, used=3)))

    assert decision.pause == ("i-00000001", "i-00000002")
    assert decision.terminate == ()
    assert decision.desired == 4


def test_an_empty_spot_node_gives_its_place_to_a_node_of_the_exam() -> None:
    paused = node(3, availability="pause")

    decision = decide(exam(node(1), node(2), paused, on_demand=2, most=3))

    assert (decision.terminate, decision.activate) == (("i-00000003",), ())


def test_nodes_on_demand_that_are_there_are_enough() -> None:
    assert not decide(exam(node(1), node(2), on_demand=2, mix=Mix(2, 0))).acts
    assert not decide(exam(node(1), node(2), mix=None)).acts


def test_no_node_of_an_exam_is_paused_or_ended_to_save_money() -> None:
    quiet = exam(node(1, used=1), node(2), node(3), node(4), on_demand=4, mix=Mix(4, 0))
    emptied = exam(node(1), node(2), node(3, availability="pause"), on_demand=3, mix=Mix(3, 0))

    assert (decide(quiet).pause, decide(emptied).terminate) == ((), ())
    assert decide(replace(quiet, exams=())).pause
    assert decide(replace(emptied, exams=())).terminate


def test_no_node_of_an_exam_is_replaced_by_one_of_a_newer_template() -> None:
    late = replace(node(3), created_at="2026-11-25T08:00:00Z")
    found = exam(node(1, used=7), node(2, used=7), late, on_demand=3, mix=Mix(3, 0))
    versions = {"i-00000001": 1, "i-00000002": 1, "i-00000003": 2}
    found = replace(found, group=replace(found.group, versions=versions))

    assert not decide(found).acts
    assert "of an older launch template" in " ".join(decide(replace(found, exams=())).reasons)


@pytest.mark.parametrize(
    ("seconds", "holds"), [(-101, False), (-100, True), (3800 + COPIES_S, False)]
)
def test_the_rules_hold_from_the_request_of_its_nodes_until_the_submissions_are_copied(
    seconds: float, holds: bool
) -> None:
    found = exam(node(1, used=1), node(2), node(3), on_demand=3)
    found = replace(found, now=found.now + seconds, bookings=())
    assert found.snapshot is not None
    found = replace(found, snapshot=replace(found.snapshot, taken_at=found.now))

    assert bool(decide(found).pause) is not holds
