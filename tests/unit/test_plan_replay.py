"""`labswarm plan --replay`: a class that was, from a hub's log or a table."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from labswarm_operator.cli import labswarm
from labswarm_operator.planning.recording import read_recording

SIZES = ("--node-seats", "7", "--max-nodes", "60", "--losses", "0")
LOG = """\
[I 2026-11-24 13:59:58.120 JupyterHub app:3363] Running JupyterHub version 6.0.0
[I 2026-11-24 14:00:09.250 JupyterHub base:1192] User ada took 4.250 seconds to start
\x1b[32m[I 2026-11-24 14:00:30.500 JupyterHub base:1192]\x1b[0m User bob:lab took 5.500 seconds to start
[I 2026-11-24 14:03:00.000 JupyterHub base:1446] User ada server took 1.000 seconds to stop
[I 2026-12-01 14:00:20.000 JupyterHub base:1192] User eve took 9.000 seconds to start
"""  # noqa: E501  # as the hub writes them
FIRST = datetime.fromisoformat("2026-11-24T14:00:05").timestamp()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "jupyterhub.log"
    file.write_text(LOG)
    return file


def run(file: Path, *words: str) -> Result:
    return CliRunner().invoke(labswarm, ["plan", "--replay", str(file), *SIZES, *words])


def test_a_hub_s_log_has_each_click_and_its_wait(log: Path) -> None:
    found = read_recording(log)

    assert found.waits_s == (4.25, 5.5, 9.0)
    assert [at - FIRST for at in found.arrived[:2]] == [0, 20]


def test_a_table_has_the_same(tmp_path: Path) -> None:
    file = tmp_path / "class.csv"
    file.write_text("arrived,wait_s\n2026-11-24T14:00:05,4.25\n2026-11-24T14:00:25,5.5\n")

    assert read_recording(file).waits_s == (4.25, 5.5)
    assert read_recording(file).offsets_s(FIRST) == (0, 20)


def test_the_first_class_of_the_log_is_planned_again_and_compared(log: Path) -> None:
    result = run(log)

    assert result.exit_code == 0, result.output
    assert "lab of 2: 2 of 2 get a server" in result.stdout
    assert "Recorded: waits 4 s (half), 6 s (95 of 100), 6 s (worst). Simulated, " in result.stdout


def test_a_later_class_is_chosen_by_its_time(log: Path) -> None:
    answer = json.loads(run(log, "--at", "2026-12-01T14:00", "--json").stdout)

    assert answer["students"] == 1
    assert answer["recorded"] == {"p50_s": 9.0, "p95_s": 9.0, "worst_s": 9.0}


def test_the_same_class_without_its_booking_waits_for_a_node(log: Path) -> None:
    booked, unbooked = (
        json.loads(run(log, "--json", *words).stdout)["waits"]["p50_s"]
        for words in ((), ("--unbooked",))
    )

    assert booked < 15
    assert unbooked > 100


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        ("nothing", (), "has no start of a server. Give the hub's log, or a CSV whose first line"),
        ("arrived,wait_s\n", (), "has no start of a server."),
        ("arrived,wait_s\n2026-11-24T14:00:05,x\n", (), "line 2 of"),
        ("arrived,wait_s\n2026-11-24T14:00:05\n", (), "line 2 of"),
        (LOG, ("--at", "2020-01-01T10:00"), "No start was recorded then; those of the file are"),
        (LOG, ("--students", "5"), "--replay: The recording has its own students; leave out"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused_in_one_sentence(
    text: str, words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.log"
    file.write_text(text)
    result = run(file, *words)

    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
