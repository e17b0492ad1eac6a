"""The times that `--since` takes."""

from datetime import datetime

import pytest

from labswarm_operator.moments import moment
from labswarm_operator.refusal import Refusal

START = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "before_s"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400)]
)
def test_since_is_an_age(text: str, before_s: float) -> None:
    assert moment(text, START) == START - before_s


def test_since_is_a_time_of_day_that_was_or_a_date() -> None:
    now = datetime(2026, 11, 24, 14, 30)
    for text, is_at in (
        ("14:05", datetime(2026, 11, 24, 14, 5)),
        ("14:05:09", datetime(2026, 11, 24, 14, 5, 9)),
        ("23:00", datetime(2026, 11, 23, 23, 0)),
        ("2026-01-31T14:05", datetime(2026, 1, 31, 14, 5)),
    ):
        assert moment(text, now.timestamp()) == is_at.timestamp(), text


@pytest.mark.parametrize("text", ["", "soon", "25:00", "10", "-5m"])
def test_since_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match=r"--since: .* is not a time. Write"):
        moment(text, START)
