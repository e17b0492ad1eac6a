"""Each end of a start is a sentence for the student and one for the operator."""

import pytest

from labswarm_hub import reasons
from labswarm_hub.reasons import Reason

EVERY = [
    reasons.no_such_profile(None, []),
    reasons.no_such_profile("gpu" * 100, ["A notebook", "A GPU"]),
    reasons.nodes_refused(["n1", "n1", "n2"], "rejected (wanted: shutdown): no reason given"),
    reasons.ended_before_answer("failed (wanted: shutdown): task: non-zero exit (137)"),
    reasons.no_answer(120),
    reasons.no_seat(600, 120),
    reasons.too_long(600, "Looking for a free seat."),
    # These have no text of their own.
    reasons.unexpected(TimeoutError()),
    reasons.unexpected(KeyError()),
]


@pytest.mark.parametrize("reason", EVERY, ids=lambda reason: str(reason.label))
def test_both_sentences_have_an_end_and_no_empty_place(reason: Reason) -> None:
    for sentence in (reason.student, reason.operator):
        assert sentence.endswith(".")
        assert not sentence.endswith((": .", ":."))
        assert "()" not in sentence
        assert "  " not in sentence


@pytest.mark.parametrize("reason", EVERY, ids=lambda reason: str(reason.label))
def test_the_student_reads_the_remedy(reason: Reason) -> None:
    advice = ("Start it again", "Start your server again", "is no longer offered.")
    assert any(words in reason.student for words in advice)
    for word in ("rejected", "shutdown", "137", "Error", "task"):
        assert word not in reason.student


def test_each_node_is_named_once() -> None:
    assert "on n1, n2." in EVERY[2].operator


def test_each_reason_has_a_word_for_the_metrics() -> None:
    assert {reason.label for reason in EVERY} == {
        *("profile", "node", "ended", "answer", "seat", "time", "error")
    }
