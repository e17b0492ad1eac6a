"""A pass's findings, the times of its actions, and their number at once."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labswarm.groups import Roster
from labswarm.reconcile.findings import Finding, Identities, Listings, orphans, reasons_to_distrust
from labswarm.reconcile.passes import Pass
from labswarm.reconcile.plan import FORGOTTEN_S, Plan, cap_of, decide
from labswarm.seats import START_WITHIN_S
from labswarm.snapshot import STALE_AFTER_S, HubSeen, NodeSeen, ServiceSeen, Snapshot

NOW = 1_800_000_000.0
START_S = 240
MANAGER = "i-0fedcba9876543210"
A, B, C = (f"i-0000000000000000{n}" for n in "abc")


def node(instance: str | None, state: str = "ready", node_id: str | None = None) -> NodeSeen:
    return NodeSeen(node_id or f"node-of-{instance}", instance, state, "active", 7, 2, "2026-11-24")


def listings(*instances: str, **changes: object) -> Listings:
    """A cluster in order: these instances, each known on every side."""
    known = frozenset(instances)
    in_order = Listings(
        cluster="lab",
        manager=MANAGER,
        group=Roster(len(instances), dict.fromkeys(instances, "InService")),
        swarm=Snapshot("lab", NOW, tuple(map(node, instances)), 0, 0),
        chef=Identities(known | {MANAGER}, known | {MANAGER}),
        online=known | {MANAGER},
        working=frozenset(),
        joined=known,
    )
    return replace(in_order, **changes)  # type: ignore[arg-type]


def with_nodes(seen: Listings, *nodes: NodeSeen) -> Listings:
    return replace(seen, swarm=replace(seen.swarm, nodes=(*seen.swarm.nodes, *nodes)))


def with_unknown(seen: Listings, *services: ServiceSeen, hub_knows: int = 1) -> Listings:
    return replace(seen, swarm=replace(seen.swarm, hub=HubSeen(hub_knows, services)))


def with_servers(seen: Listings, running: int = 0, waiting: int = 0) -> Listings:
    return replace(seen, swarm=replace(seen.swarm, running=running, waiting=waiting))


LOST = ServiceSeen("lost", NOW - START_WITHIN_S)


def later(seen: Listings, at: float) -> Listings:
    return replace(seen, swarm=replace(seen.swarm, taken_at=at))


def passes(*seen: Listings, every_s: float = 300) -> Plan:
    """The plan of the last of several passes, each `every_s` after the one before."""
    last: Pass | None = None
    for count, one in enumerate(seen):
        now = NOW + count * every_s
        plan, made = decide(later(one, now), last, now, START_S)
        last = made or last
    return plan


def found(seen: Listings) -> list[tuple[str, str, str]]:
    return [(f.what, f.key, f.remedy) for f in orphans(seen)]


PLANTED = [
    pytest.param(
        with_nodes(listings(A), node(B, "down")),
        Finding(
            "swarm-node", f"node-of-{B}", "remove",
            f"down, and its instance {B} is not in the group",
        ),
        id="a Swarm node whose instance is gone",
    ),
    pytest.param(
        with_nodes(listings(A), node(None, "down", "ghost")),
        Finding("swarm-node", "ghost", "remove", "down, and has no instance"),
        id="a Swarm node that says no instance",
    ),
    pytest.param(
        with_nodes(listings(A), node(A, "down", "ghost")),
        Finding(
            "swarm-node", "ghost", "remove",
            f"a ghost: its instance {A} goes on as node node-of-{A}",
        ),
        id="the ghost of an instance that joined anew",
    ),
    pytest.param(
        listings(A, chef=Identities(frozenset({A, B}), frozenset({A}))),
        Finding("chef-identity", B, "remove", "a client whose instance is not in the group"),
        id="a Chef client",
    ),
    pytest.param(
        listings(A, chef=Identities(frozenset({A}), frozenset({A, B}))),
        Finding("chef-identity", B, "remove", "a node whose instance is not in the group"),
        id="a Chef node",
    ),
    pytest.param(
        listings(A, group=Roster(2, {A: "InService", B: "Pending:Wait"})),
        Finding("instance", B, "replace", "Pending:Wait, but not in the Swarm"),
        id="an instance that waits for a launch that never comes",
    ),
    pytest.param(
        listings(A, group=Roster(2, {A: "InService", B: "InService"})),
        Finding("instance", B, "replace", "InService, but not in the Swarm"),
        id="an instance in service that never joined",
    ),
    pytest.param(
        with_nodes(listings(A, group=Roster(2, {A: "InService", B: "InService"})), node(B, "down")),
        Finding("instance", B, "replace", "InService, but down in the Swarm"),
        id="an instance in service whose node is lost",
    ),
    pytest.param(
        with_unknown(listings(A), LOST),
        Finding(
            "service", "lost", "remove",
            "a student's, made at 2027-01-15T07:50:00Z, and the hub does not know it",
        ),
        id="a service that the hub has lost",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "orphan"), PLANTED)
def test_a_planted_orphan_is_marked_by_one_pass_and_due_in_the_next(
    seen: Listings, orphan: Finding
) -> None:
    assert orphans(seen) == [orphan]
    first, second = passes(seen), passes(seen, seen)
    assert (first.due, first.waiting) == ((), (orphan,))
    assert (second.due, second.waiting) == ((orphan,), ())
    kinds = ("swarm-node", "chef-identity", "instance", "service")
    assert [second.keys(what) for what in kinds].count([]) == 3
    assert second.keys(orphan.what) == [orphan.key]


@pytest.mark.parametrize(("seen", "orphan"), PLANTED)
def test_it_is_due_no_sooner_than_a_node_takes_to_start(seen: Listings, orphan: Finding) -> None:
    assert passes(seen, seen, every_s=START_S - 1).waiting == (orphan,)
    assert passes(seen, seen, every_s=START_S).due == (orphan,)


@pytest.mark.parametrize(("seen", "orphan"), PLANTED)
def test_a_finding_that_a_pass_between_missed_starts_over(seen: Listings, orphan: Finding) -> None:
    assert passes(seen, listings(A), seen).waiting == (orphan,)


@pytest.mark.parametrize(("seen", "orphan"), PLANTED)
def test_a_pass_long_ago_does_not_count(seen: Listings, orphan: Finding) -> None:
    assert passes(seen, seen, every_s=FORGOTTEN_S + 1).waiting == (orphan,)


@pytest.mark.parametrize(("seen", "orphan"), PLANTED)
def test_a_mark_of_an_hour_ago_removes_nothing(seen: Listings, orphan: Finding) -> None:
    """A node that was gone an hour ago and is gone again may be another one."""
    assert passes(seen, seen, every_s=3600).due == ()


@pytest.mark.parametrize(("seen", "orphan"), PLANTED)
def test_nothing_that_an_execution_works_on_is_touched(seen: Listings, orphan: Finding) -> None:
    if orphan.key not in ("ghost", "lost"):
        busy = replace(seen, working=frozenset({B}))
        assert orphans(busy) == []


def test_a_cluster_in_order_asks_for_nothing() -> None:
    assert orphans(listings(A, B, C)) == []
    assert orphans(listings()) == []


def test_the_only_worker_is_replaced_when_its_node_is_lost() -> None:
    alone = listings(A, swarm=Snapshot("lab", NOW, (node(A, "down"),), 0, 0))
    assert [f.key for f in passes(alone, alone).due] == [A]


def test_a_lost_node_that_comes_back_between_two_passes_is_left_alone() -> None:
    lost = listings(A, B, swarm=Snapshot("lab", NOW, (node(A), node(B, "down")), 0, 0))
    back = listings(A, B)
    assert found(back) == []
    assert [f.key for f in passes(lost, back, lost).waiting] == [B]


def test_an_instance_with_a_live_node_next_to_its_lost_one_is_not_replaced() -> None:
    for state in ("ready", "unknown"):
        nodes = (node(A), node(B, "down", "lost"), node(B, state, "here"))
        seen = listings(A, B, swarm=Snapshot("lab", NOW, nodes, 0, 0))
        assert "instance" not in {f.what for f in orphans(seen)}


def test_when_all_of_several_workers_are_lost_one_is_replaced_to_see_whether_it_is_the_hub() -> (
    None
):
    def seen(*states: str, coming: bool = False) -> Listings:
        nodes = tuple(map(node, (A, B, C), states))
        of = listings(A, B, C, swarm=Snapshot("lab", NOW, nodes, 0, 0))
        if not coming:
            return of
        new = {"i-0000000000000000d": "Pending:Wait"}
        working = frozenset(new)
        return replace(of, group=Roster(4, {**of.group.states, **new}), working=working)

    plan = passes(*[seen("down", "down", "down")] * 2)
    assert plan.decided
    assert [f.key for f in plan.due] == [A]
    assert [f.key for f in plan.over_cap] == [B, C]
    # Its successor is on its way: that will show it.
    plan = passes(*[seen("down", "down", "down", coming=True)] * 2)
    assert ([f.key for f in plan.due], len(plan.over_cap)) == ([], 3)
    assert [f.key for f in passes(*[seen("down", "down", "ready")] * 2).due] == [A, B]


def test_ghosts_are_removed_also_where_no_worker_is_ready() -> None:
    ghosts = Snapshot("lab", NOW, (node(A, "down"), node(B, "down")), 0, 0)
    gone = listings(swarm=ghosts)
    assert len(passes(gone, gone).due) == 2


def test_a_service_is_found_no_sooner_than_a_start_may_take() -> None:
    young = ServiceSeen("young", NOW - START_WITHIN_S + 1)
    assert found(with_unknown(listings(A), young, LOST)) == [("service", "lost", "remove")]


def test_another_service_in_the_lost_ones_place_is_marked_again() -> None:
    other = ServiceSeen("other", NOW - START_WITHIN_S)
    seen = [with_unknown(listings(A), service) for service in (LOST, other)]
    assert [f.key for f in passes(*seen).waiting] == ["other"]


def test_of_a_hub_that_knows_no_server_at_all_several_services_are_named_until_it_knows_one() -> (
    None
):
    services = [replace(LOST, service_id=f"lost{n}") for n in range(3)]
    empty = with_unknown(listings(A), *services, hub_knows=0)
    plan = passes(empty, empty, empty)
    assert (plan.due, plan.waiting) == ((), ())
    assert [f.key for f in plan.named] == ["lost0", "lost1", "lost2"]
    assert plan.named[0].reason.endswith("and the hub does not know it, nor any of 3")
    one = with_unknown(listings(A), *services)
    assert [f.key for f in passes(empty, one).waiting] == ["lost0", "lost1", "lost2"]
    assert [f.key for f in passes(empty, one, one).due] == ["lost0", "lost1", "lost2"]


def test_the_last_service_of_a_hub_that_knows_none_is_removed() -> None:
    seen = with_unknown(listings(A), LOST, hub_knows=0)
    assert [f.key for f in passes(seen, seen).due] == ["lost"]


def test_while_the_hub_is_silent_no_service_is_found_and_marks_start_over() -> None:
    seen, silent = with_unknown(listings(A), LOST), listings(A)
    assert silent.swarm.hub is None
    assert [f.key for f in passes(seen, silent, seen).waiting] == ["lost"]
    assert [f.key for f in passes(seen, silent, seen, seen).due] == ["lost"]


def test_of_three_hundred_lost_services_a_pass_removes_as_many_as_of_anything_else() -> None:
    services = [replace(LOST, service_id=f"lost{n:03}") for n in range(300)]
    seen = with_unknown(listings(A, B), *services)
    assert len(passes(seen, seen).due) == cap_of(2)


def test_a_worker_that_is_lost_waits_for_no_service() -> None:
    services = [replace(LOST, service_id=f"lost{n:03}") for n in range(60)]
    before = with_unknown(listings(A, B), *services)
    lost = replace(before.swarm, nodes=(node(A), node(B, "down")))
    plan = passes(before, replace(before, swarm=lost), replace(before, swarm=lost))
    assert [f.key for f in plan.due] == [B, "lost000", "lost001", "lost002", "lost003"]
    assert len(plan.over_cap) == 56


@pytest.mark.parametrize("state", ["Pending", "Terminating:Wait", "Terminated", "Standby"])
def test_an_instance_on_its_way_is_its_hook_s(state: str) -> None:
    assert orphans(listings(A, group=Roster(1, {A: "InService", B: state}))) == []


@pytest.mark.parametrize(
    ("seen", "kind", "key"),
    [
        (with_nodes(listings(A), node(B)), "swarm-node", f"node-of-{B}"),
        (with_nodes(listings(A), node(None, node_id="x")), "swarm-node", "x"),
        (listings(A, chef=Identities(frozenset({A, B}), frozenset({A})), online=frozenset({A, B})),
         "chef-identity", B),
        (listings(A, B, online=frozenset({A})), "instance", B),
        (listings(A, B, chef=Identities(frozenset({A}), frozenset({A, B}))), "instance", B),
    ],
)  # fmt: skip
def test_an_object_that_may_be_in_use_is_named_and_never_due(
    seen: Listings, kind: str, key: str
) -> None:
    plan = passes(seen, seen, seen)
    assert [(f.what, f.key) for f in plan.named] == [(kind, key)]
    assert (plan.due, plan.waiting) == ((), ())


def test_a_ready_node_outside_the_group_keeps_its_chef_identity() -> None:
    seen = with_nodes(listings(A, chef=Identities(frozenset({A, B}), frozenset({A, B}))), node(B))
    assert found(seen) == [("swarm-node", f"node-of-{B}", "name")]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (listings(A, group=Roster(1, {})), "the group lists no instance"),
        (listings(A, group=Roster(0, {})), "the group lists no instance"),
        (listings(A, swarm=Snapshot("lab", NOW, (), 0, 0)), "the Swarm lists no worker"),
        (listings(A, chef=Identities(frozenset(), frozenset({A}))), "lists no client of lab"),
        (listings(A, chef=Identities(frozenset({A}), frozenset())), "lists no node of lab"),
    ],
)
def test_a_listing_that_is_empty_where_it_must_not_be_decides_nothing(
    seen: Listings, why: str
) -> None:
    plan, made = decide(seen, None, NOW, START_S)
    assert (plan.decided, made, plan.due, plan.waiting) == (False, None, (), ())
    assert why in plan.why_not[0]


def test_the_only_instance_is_replaced_when_it_never_joined() -> None:
    alone = Listings(
        "lab", MANAGER, Roster(1, {A: "InService"}), Snapshot("lab", NOW, (), 0, 0),
        Identities(frozenset(), frozenset()), frozenset({A}), frozenset(), frozenset(),
    )  # fmt: skip
    assert [f.key for f in passes(alone, alone).due] == [A]


def test_a_snapshot_that_is_old_or_was_seen_before_decides_nothing() -> None:
    seen = with_nodes(listings(A), node(B, "down"))
    old, made = decide(seen, None, NOW + STALE_AFTER_S + 1, START_S)
    assert (made, old.why_not) == (None, ("the Swarm's snapshot is 121 s old",))
    last = Pass(NOW - 300, NOW, {f"swarm-node node-of-{B}": NOW - 300}, 1)
    again, made = decide(seen, last, NOW + 1, START_S)
    assert (made, again.due) == (None, ())
    assert again.why_not == ("the Swarm's snapshot is the one that the last pass saw",)


def test_a_pass_that_decides_nothing_keeps_the_marks_of_the_last_one() -> None:
    seen = with_nodes(listings(A), node(B, "down"))
    empty = listings(A, group=Roster(1, {}))
    assert [f.key for f in passes(seen, empty, seen).due] == [f"node-of-{B}"]


@pytest.mark.parametrize(("instances", "cap"), [(0, 5), (59, 5), (60, 6), (1000, 100)])
def test_the_cap_is_a_tenth_of_the_group_and_at_least_five(instances: int, cap: int) -> None:
    assert cap_of(instances) == cap


def test_of_a_hundred_planted_five_go_in_a_pass_and_the_rest_is_reported() -> None:
    planted = [node(f"i-{n:017x}", "down", f"ghost{n:03}") for n in range(100)]
    seen = with_nodes(listings(A), *planted)
    plan = passes(seen, seen)
    assert [f.key for f in plan.due] == [f"ghost{n:03}" for n in range(5)]
    assert len(plan.over_cap) == 95
    answer = plan.to_json()
    assert answer["counts"] == {"due": 5, "waiting": 0, "over_cap": 95, "named": 0}


def in_pass(seen: Listings, last: Pass | None = None, now: float = NOW) -> bool:
    """Whether a pass puts this cluster to rest."""
    _, made = decide(seen, last, now, START_S)
    return made is not None and made.at_rest


def test_a_cluster_in_which_only_the_hub_is_known_is_at_rest() -> None:
    assert in_pass(listings())
    assert in_pass(listings(chef=Identities(frozenset(), frozenset())))


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(listings(A), id="a worker in order"),
        pytest.param(listings(group=Roster(1, {})), id="an instance is wanted"),
        pytest.param(listings(group=Roster(0, {A: "Terminating:Wait"})), id="an instance leaves"),
        pytest.param(with_nodes(listings(), node(B, "down")), id="a Swarm node"),
        pytest.param(with_nodes(listings(), node(MANAGER, "unknown")), id="a node of no group"),
        pytest.param(listings(chef=Identities(frozenset({B}), frozenset())), id="a Chef client"),
        pytest.param(listings(chef=Identities(frozenset(), frozenset({B}))), id="a Chef node"),
        pytest.param(listings(working=frozenset({B})), id="an instance in a warm pool"),
        pytest.param(
            with_unknown(listings(), ServiceSeen("young", NOW)),
            id="a service that the hub has lost",
        ),
        pytest.param(with_servers(listings(), waiting=1), id="one waits, and the hub is not heard"),
        pytest.param(with_servers(listings(), running=1), id="one runs, and the hub is not heard"),
    ],
)
def test_a_cluster_in_which_there_is_anything_is_not_at_rest(seen: Listings) -> None:
    assert not seen.empty
    assert not in_pass(seen)


def test_a_pass_that_decides_nothing_puts_no_cluster_to_rest() -> None:
    assert not in_pass(listings(), now=NOW + STALE_AFTER_S + 1)
    assert not in_pass(listings(), last=Pass(NOW - 300, NOW, {}, 1, at_rest=True))


# Listings in which any side may know any instance, in any state.
IDS = [f"i-{n:017x}" for n in range(12)]
sets = st.frozensets(st.sampled_from(IDS))
nodes = st.lists(
    st.builds(
        NodeSeen,
        node_id=st.uuids().map(lambda u: u.hex[:25]),
        instance_id=st.none() | st.sampled_from(IDS),
        state=st.sampled_from(["ready", "down", "unknown", "disconnected"]),
        availability=st.just("active"),
        seats=st.just(7),
        seats_used=st.integers(0, 7),
        created_at=st.just("2026-11-24"),
    ),
    max_size=20,
    unique_by=lambda n: n.node_id,
)
hubs = st.none() | st.builds(
    HubSeen,
    servers=st.integers(0, 2),
    unknown=st.lists(
        st.builds(
            ServiceSeen,
            service_id=st.uuids().map(lambda u: u.hex[:25]),
            created_at=st.floats(NOW - 2 * START_WITHIN_S, NOW),
        ),
        max_size=8,
        unique_by=lambda s: s.service_id,
    ).map(tuple),
)
any_listings = st.builds(
    Listings,
    cluster=st.just("lab"),
    manager=st.just(MANAGER),
    group=st.builds(
        Roster,
        desired=st.integers(0, 12),
        states=st.dictionaries(
            st.sampled_from(IDS),
            st.sampled_from(["InService", "Pending:Wait", "Pending", "Terminating:Wait"]),
        ),
    ),
    swarm=st.builds(
        Snapshot,
        cluster=st.just("lab"),
        taken_at=st.just(NOW),
        nodes=nodes.map(tuple),
        running=st.sampled_from([0, 0, 0, 1]),
        waiting=st.sampled_from([0, 0, 0, 1]),
        hub=hubs,
    ),
    chef=st.builds(Identities, clients=sets, nodes=sets),
    online=sets,
    working=sets,
    joined=sets,
)


@given(any_listings)
@settings(max_examples=300)
def test_nothing_that_both_sides_know_is_ever_taken_away(seen: Listings) -> None:
    ready = {n.instance_id for n in seen.swarm.nodes if n.state == "ready"}
    states = {n.node_id: n.state for n in seen.swarm.nodes}
    for finding in orphans(seen):
        if finding.remedy == "name":
            continue
        if finding.what == "swarm-node":
            assert states[finding.key] == "down"
            continue
        if finding.what == "service":
            assert seen.swarm.hub is not None
            made = {s.service_id: s.created_at for s in seen.swarm.hub.unknown}
            assert made[finding.key] <= NOW - START_WITHIN_S
            assert seen.swarm.hub.servers or len(made) == 1
            continue
        assert finding.key not in seen.working | {MANAGER} | ready
        if finding.what == "instance":
            alive = {n.instance_id for n in seen.swarm.nodes if n.state != "down"}
            assert finding.key not in alive
        else:
            assert finding.key not in seen.group.states


@given(any_listings, any_listings, st.floats(0, 2000))
@settings(max_examples=300)
def test_no_pass_acts_alone_or_too_soon_or_on_more_than_the_cap(
    before: Listings, now: Listings, after_s: float
) -> None:
    plan, made = decide(before, None, NOW, START_S)
    assert plan.due == ()
    at = NOW + after_s
    second, _ = decide(later(now, at), made, at, START_S)
    assert len(second.due) <= cap_of(len(now.group.states))
    marked = {(f.what, f.key) for f in plan.waiting}
    assert {(f.what, f.key) for f in second.due} <= marked
    if (
        after_s < START_S
        or after_s > FORGOTTEN_S
        or reasons_to_distrust(before)
        or reasons_to_distrust(now)
    ):
        assert second.due == ()


@given(
    any_listings | any_listings.map(lambda w: replace(w, group=Roster(0, {}), working=frozenset()))
)
@settings(max_examples=300)
def test_only_where_no_side_knows_anything_a_cluster_rests(seen: Listings) -> None:
    group, chef = seen.group, seen.chef
    known = [*group.states, *seen.swarm.nodes, *chef.clients, *chef.nodes, *seen.working]
    known += seen.swarm.hub.unknown if seen.swarm.hub else ()
    wanted = group.desired or seen.swarm.running or seen.swarm.waiting
    assert in_pass(seen) == (not known and not wanted)
    if in_pass(seen):
        assert orphans(seen) == []


@given(any_listings)
@settings(max_examples=100)
def test_each_finding_is_reported_once(seen: Listings) -> None:
    keys = [(f.what, f.key) for f in orphans(seen)]
    assert len(keys) == len(set(keys))
