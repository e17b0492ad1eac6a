"""The repository's English, as far as counting can check docs/how-to/writing.md."""

import pytest
from tests.support.prose import (
    MOST_FREE_RELATIVES,
    ROOT,
    Counts,
    Finding,
    measure,
    passages,
    tracked,
)

SHOWN = 30


@pytest.fixture(scope="module")
def counts() -> Counts:
    return measure(passage for file in tracked() for passage in passages(file))


def listed(findings: list[Finding]) -> str:
    """The first findings, a line each, with the place and the sentence."""
    lines = [
        f"{found.file.relative_to(ROOT)}:{found.line}: {found.word}: {found.sentence[:120]}"
        for found in findings[:SHOWN]
    ]
    return "\n".join(lines)


def test_the_whole_repository_is_read(counts: Counts) -> None:
    assert counts.words > 100_000


def test_no_banned_word_is_used(counts: Counts) -> None:
    assert counts.banned == [], f"see docs/how-to/writing.md\n{listed(counts.banned)}"


def test_few_clauses_stand_for_a_noun(counts: Counts) -> None:
    assert counts.rate <= MOST_FREE_RELATIVES, (
        f"{counts.rate:.1f} per 10,000 words; see docs/how-to/writing.md and"
        f" `python -m tests.support.prose`\n{listed(counts.free_relatives)}"
    )
