"""A node on which nothing can start does not attract every start."""

from labswarm_hub.refusals import LEFT_OUT_S, LONGEST_S, Refusals


def test_a_server_that_ended_on_a_node_is_tried_elsewhere_and_others_still_start_there() -> None:
    refusals = Refusals()
    refusals.ended("n1", "ada", 0)

    assert refusals.left_out("ada", 1) == {"n1"}
    assert refusals.left_out("bob", 1) == frozenset()
    assert not refusals.refuses("n1")


def test_the_ends_of_two_servers_keep_all_away_from_their_node() -> None:
    refusals = Refusals()
    refusals.ended("n1", "ada", 0)
    refusals.ended("n1", "bob", 0)

    assert refusals.left_out("eve", 1) == {"n1"}
    assert refusals.refuses("n1")


def test_a_node_is_tried_again_after_a_while_and_ever_more_rarely() -> None:
    refusals = Refusals()
    waits = []
    at = 0.0
    for _ in range(8):
        refusals.ended("n1", "ada", at)
        begun = at
        while refusals.left_out("ada", at):
            at += 1
        waits.append(at - begun)

    assert waits[:3] == [LEFT_OUT_S, 2 * LEFT_OUT_S, 4 * LEFT_OUT_S]
    assert waits[-1] == LONGEST_S


def test_a_server_that_runs_on_a_node_clears_it() -> None:
    refusals = Refusals()
    refusals.ended("n1", "ada", 0)
    refusals.ended("n1", "bob", 0)
    refusals.ended("n2", "bob", 0)

    refusals.ran("n1")

    assert refusals.left_out("bob", 1) == {"n2"}
    assert refusals.left_out("eve", 1) == frozenset()
