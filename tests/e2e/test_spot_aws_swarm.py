"""A node that EC2 takes back, with AWS's latency: `bench/interrupt.py` is the same ten times."""

import os
from collections.abc import Iterator

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up
from tests.support.interrupted import NOTICE_S, figures, interrupted, seated

from labswarm_lab.nodes.requirements import missing

# Bound in time by the request, so not for a machine that does other work too.
pytestmark = [pytest.mark.swarm, pytest.mark.timeout(900), pytest.mark.deep]

STUDENTS = 6
TOLD_WITHIN_S, BACK_WITHIN_S = 20, 60


@pytest.fixture
def slow_lab() -> Iterator[LabUnderTest]:
    """A lab of real nodes whose events, commands and machines take as long as on AWS."""
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    yield from brought_up(f"aws{os.getpid()}", "--workers", "1", "--latency", "aws")


def test_students_are_notified_and_moved_and_their_node_leaves_before_the_kill(
    slow_lab: LabUnderTest,
) -> None:
    seated(slow_lab, STUDENTS)
    for _ in range(2):
        seen = interrupted(slow_lab, STUDENTS, patience_s=NOTICE_S)
        print(figures(seen))
        assert seen.wrong(TOLD_WITHIN_S, BACK_WITHIN_S) == []
