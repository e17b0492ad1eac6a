"""Seats: a node's whole number of them, and packing."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labswarm.seats import Seat, SeatedNode, choose_node, free_seats, seats_of

GIB = 1024**3
CORE = 10**9
SEAT = Seat(memory_bytes=GIB // 2, nano_cpus=CORE // 4)
NOTHING = Seat(memory_bytes=0, nano_cpus=0)

amounts = st.integers(min_value=0, max_value=64 * GIB)
seats = st.builds(Seat, memory_bytes=st.integers(1, 8 * GIB), nano_cpus=st.integers(1, 8 * CORE))
overheads = st.builds(Seat, memory_bytes=amounts, nano_cpus=st.integers(0, 8 * CORE))


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[SeatedNode], Counter[str], Counter[str]]:
    """Nodes, the servers on them and the starts in flight, more than there are seats among them."""
    ids = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8))
    nodes = [SeatedNode(node_id, draw(st.integers(0, 4)), draw(st.booleans())) for node_id in ids]
    counts = st.dictionaries(st.sampled_from("abcdefghz"), st.integers(0, 5)).map(Counter)
    return nodes, draw(counts), draw(counts)


def test_a_node_has_as_many_seats_as_its_scarcer_resource_allows() -> None:
    assert seats_of(4 * GIB, 8 * CORE, SEAT, NOTHING) == 8
    assert seats_of(64 * GIB, CORE, SEAT, NOTHING) == 4


def test_the_overhead_is_no_seat() -> None:
    assert seats_of(2 * GIB, 8 * CORE, SEAT, Seat(GIB // 2, 0)) == 3
    assert seats_of(2 * GIB, 8 * CORE, SEAT, Seat(1, 0)) == 3


def test_a_node_smaller_than_its_overhead_has_no_seat() -> None:
    assert seats_of(GIB, CORE, SEAT, Seat(2 * GIB, 0)) == 0


def test_a_seat_that_guarantees_nothing_has_no_number() -> None:
    with pytest.raises(ValueError, match="some memory or some CPU"):
        seats_of(GIB, CORE, NOTHING, NOTHING)


def test_a_negative_seat_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        Seat(memory_bytes=-1, nano_cpus=0)


@given(amounts, st.integers(0, 64 * CORE), seats, overheads)
def test_the_seats_and_the_overhead_fit_and_one_more_seat_does_not(
    memory: int, cpus: int, seat: Seat, overhead: Seat
) -> None:
    number = seats_of(memory, cpus, seat, overhead)

    def fits(count: int) -> bool:
        return (
            count * seat.memory_bytes + overhead.memory_bytes <= memory
            and count * seat.nano_cpus + overhead.nano_cpus <= cpus
        )

    assert number == 0 or fits(number)
    assert not fits(number + 1)


@given(clusters())
def test_a_chosen_node_is_open_and_has_a_free_seat(
    cluster: tuple[list[SeatedNode], Counter[str], Counter[str]],
) -> None:
    nodes, used, starting = cluster
    chosen = choose_node(nodes, used, starting)
    if chosen is not None:
        node = next(node for node in nodes if node.node_id == chosen)
        assert node.open
        assert used[chosen] + starting[chosen] < node.seats


@given(clusters())
def test_one_waits_only_when_no_open_node_has_a_free_seat(
    cluster: tuple[list[SeatedNode], Counter[str], Counter[str]],
) -> None:
    nodes, used, starting = cluster
    if choose_node(nodes, used, starting) is None:
        assert not any(
            node.open and used[node.node_id] + starting[node.node_id] < node.seats for node in nodes
        )


@given(clusters(), st.integers(1, 20))
def test_arrivals_fill_one_node_before_they_open_the_next(
    cluster: tuple[list[SeatedNode], Counter[str], Counter[str]], arrivals: int
) -> None:
    nodes, used, starting = cluster
    before: str | None = None
    for _ in range(arrivals):
        chosen = choose_node(nodes, used, starting)
        if chosen != before and before is not None:
            full = next(node for node in nodes if node.node_id == before)
            assert free_seats(full, used, starting) == 0
        if chosen is None:
            break
        starting[chosen] += 1
        before = chosen


@given(clusters(), st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_listing(
    cluster: tuple[list[SeatedNode], Counter[str], Counter[str]], random: Random
) -> None:
    nodes, used, starting = cluster
    shuffled = list(nodes)
    random.shuffle(shuffled)
    assert choose_node(nodes, used, starting) == choose_node(shuffled, used, starting)


def test_the_fullest_node_is_the_one_with_the_fewest_free_seats() -> None:
    large, small = SeatedNode("large", seats=10), SeatedNode("small", seats=3)
    assert choose_node([large, small], {"large": 5}, {}) == "small"
    assert choose_node([large, small], {"large": 8}, {}) == "large"


def test_a_start_in_flight_takes_its_seat() -> None:
    nodes = [SeatedNode("a", seats=1), SeatedNode("b", seats=1)]
    assert choose_node(nodes, {}, {"a": 1}) == "b"


def test_a_node_that_is_not_open_takes_nobody() -> None:
    assert choose_node([SeatedNode("a", seats=3, open=False)], {}, {}) is None
