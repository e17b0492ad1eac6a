"""A typing error gets the nearest right word, and anything else the list."""

import pytest
from click.testing import CliRunner

from labswarm_operator.cli import labswarm
from labswarm_operator.suggestions import unknown


def refused(*words: str) -> str:
    done = CliRunner().invoke(labswarm, [*words])
    assert done.exit_code == 2
    return done.output


def test_a_word_that_is_nearly_right_gets_the_nearest_one() -> None:
    assert unknown("node", "i-0aab", ["i-0aaa", "hub"]) == (
        "There is no node 'i-0aab'. Did you mean 'i-0aaa'?"
    )


def test_any_other_word_gets_the_list_and_a_long_list_is_shortened() -> None:
    assert unknown("part", "x", ["hub", "chef"]) == "There is no part 'x'. Choose from: hub, chef."
    assert unknown("part", "x", []) == "There is no part 'x'. There are none."
    assert unknown("part", "x", [f"part{n}" for n in range(25)]).endswith("part19 and 5 more.")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("recncile",), "Did you mean 'reconcile'?"),
        (("lab", "statsu"), "Did you mean 'status'?"),
        (("lab", "chef", "strat"), "Did you mean 'start'?"),
        (("lab", "fault", "set", "evnts"), "Did you mean 'events'?"),
        (("lab", "fault", "clear", "evnts"), "Did you mean 'events'?"),
        (("lab", "up", "--latency", "fats"), "Did you mean 'fast'?"),
        (("completion", "bsh"), "Did you mean 'bash'?"),
        (("redrive", "--quue", "x"), "--queue"),
    ],
)
def test_commands_options_and_their_values_are_suggested(
    words: tuple[str, ...], meant: str
) -> None:
    assert meant in refused(*words)
