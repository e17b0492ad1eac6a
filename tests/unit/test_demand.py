"""The decision about a cluster's size: within limits, never below what runs, monotone in demand."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labswarm.booking import Booking
from labswarm.demand import TICK_S, Group, Situation, decide, start_ahead_s
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


def test_what_is_paused_and_empty_is_ended_and_what_is_not_empty_waits() -> None:
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


@given(situations())
def test_always_within_the_limits_and_never_below_what_runs(before: Situation) -> None:
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


@given(situations())
def test_it_never_grows_and_shrinks_at_once(before: Situation) -> None:
    decision = decide(before)
    up = decision.desired is not None or bool(decision.activate)
    assert not (up and decision.pause)
    assert decision.desired is None or not decision.terminate
    assert not set(decision.activate) & set(decision.terminate)


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
