"""The estimate that a student in line reads, from the starts that the hub has measured."""

from pathlib import Path

import pytest

from labswarm_hub.waits import Line, Progress, Wait, Waits, newly_open

BEGAN = 1000.0


@pytest.fixture
def waits(tmp_path: Path) -> Waits:
    """Nodes open after 70 s, and servers answer after 10 s."""
    waits = Waits.read(tmp_path / "starts.json")
    for node_s, server_s in ((60, 9), (70, 10), (80, 11)):
        waits.node_opened(node_s)
        waits.server_answered(server_s)
    return waits


def line() -> Line:
    return Line(BEGAN, frozenset({"n1"}))


def test_the_estimate_is_the_median_of_the_last_starts_and_outlives_the_hub(waits: Waits) -> None:
    kept = Waits.read(waits.file)
    assert (kept.node_s, kept.server_s) == (70, 10)
    for _ in range(20):
        kept.node_opened(200)
    assert Waits.read(waits.file).node_s == 200


@pytest.mark.parametrize("text", ["", "[]", '{"nodes": ["x"], "servers": []}', '{"nodes": 7}'])
def test_a_file_that_cannot_be_read_is_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "starts.json"
    file.write_text(text)
    assert Waits.read(file).node_s == Waits.read(tmp_path / "none").node_s


def test_a_file_that_cannot_be_written_fails_no_start(tmp_path: Path) -> None:
    waits = Waits.read(tmp_path / "no folder" / "starts.json")
    waits.node_opened(50)
    assert waits.node_s == 50


def test_a_student_within_the_next_nodes_seats_waits_for_that_node(waits: Waits) -> None:
    look = Wait(BEGAN + 30).look(waits, line(), place=4, seats=4, now=BEGAN + 30)
    assert look.words == "A machine is starting for you: about 50 s. 3 students before you."


def test_a_student_behind_them_waits_for_a_node_of_their_own(waits: Waits) -> None:
    look = Wait(BEGAN + 30).look(waits, line(), place=5, seats=4, now=BEGAN + 30)
    assert look.words == "A machine is starting for you: about 80 s. 4 students before you."


def test_a_student_who_comes_when_the_next_node_is_late_reads_a_whole_starts_time(
    waits: Waits,
) -> None:
    look = Wait(BEGAN + 300).look(waits, line(), place=1, seats=4, now=BEGAN + 300)
    assert look.words == "A machine is starting for you: about 80 s. You are next."


def test_the_estimate_shrinks_and_the_bar_grows_although_starts_become_slower(waits: Waits) -> None:
    wait, left, percent = Wait(BEGAN), 1e9, 0
    for now in range(1000, 1075):
        waits.node_opened(100)
        look = wait.look(waits, line(), place=1, seats=4, now=now)
        assert look.left_s < left
        assert look.percent >= percent
        left, percent = look.left_s, look.percent
    assert 60 < percent <= 75


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(1, 150, 0), "A machine is starting for you: about 2 min. You are next."),
        (Progress(2, 2, 78), "A machine is starting for you: about 5 s. 1 student before you."),
        (Progress(1, -20, 100), "This takes longer than usual: 100 s so far. You are next."),
        (
            Progress(3, -400, 480),
            "No new machine could be had for 8 min. You keep your place while this page is open. "
            "2 students before you.",
        ),
        (
            Progress(1, 80, 60, next_try_s=31),
            "AWS has no machine of this kind right now; the next try is in about 30 s. "
            "You keep your place while this page is open. You are next.",
        ),
        (
            Progress(2, -400, 480, next_try_s=-3),
            "AWS has no machine of this kind right now; it is asked again every few minutes. "
            "You keep your place while this page is open. 1 student before you.",
        ),
    ],
)
def test_a_wait_is_stated_in_plain_words_and_says_when_the_estimate_was_wrong(
    progress: Progress, words: str
) -> None:
    assert progress.words == words
    assert 5 <= progress.percent <= 75


def test_a_start_takes_its_time_from_when_aws_has_machines_again(waits: Waits) -> None:
    wait = Wait(BEGAN)
    for now in (BEGAN, BEGAN + 300):
        wait.look(waits, line(), place=1, seats=4, now=now, next_try_s=30)
    look = wait.look(waits, line(), place=1, seats=4, now=BEGAN + 310)
    assert look.words == "A machine is starting for you: about 70 s. You are next."


def test_only_a_node_that_was_not_open_when_the_line_began_was_waited_for() -> None:
    assert newly_open(line(), ["n1"]) == frozenset()
    assert newly_open(line(), ["n1", "n2"]) == {"n2"}
