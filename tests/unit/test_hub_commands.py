"""`labswarm hub`: each change is a version, and two admins do not overwrite each other."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.app_twins import TwinClock
from tests.twins.applied import MemoryReports
from tests.twins.documents import MemoryDocuments

from labswarm.document.applied import Applied
from labswarm.document.documents import RESTART
from labswarm.document.edit import with_value
from labswarm.document.parse import BadDocument
from labswarm_operator.cli import labswarm
from labswarm_operator.hub_document import HubDocument, with_header
from labswarm_operator.refusal import Failure, Refusal


def hub(documents: MemoryDocuments, by: str = "alice") -> HubDocument:
    clock = TwinClock()
    return HubDocument("lab", documents, MemoryReports(), by, clock.now, clock.sleep)


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments()


def timeout(seconds: int):  # type: ignore[no-untyped-def]
    return lambda text: with_value(text, "cull.timeout", seconds)


def test_a_change_is_a_new_version_with_its_author(documents: MemoryDocuments) -> None:
    alice = hub(documents)

    alice.write(alice.changed(timeout(7200), "set cull.timeout"))

    newest = documents.newest("lab")
    assert (newest.number, newest.by, newest.text) == (1, "alice", "cull:\n  timeout: 7200\n")


def test_the_second_of_two_admins_is_shown_the_first_ones_change(
    documents: MemoryDocuments,
) -> None:
    alice, bob = hub(documents), hub(documents, "bob")
    alice.write(alice.changed(timeout(3600), ""))
    of_alice, of_bob = alice.changed(timeout(7200), ""), bob.changed(timeout(60), "")
    alice.write(of_alice)

    with pytest.raises(Failure, match=r"(?s)version 2 was written by alice.*\+  timeout: 7200"):
        bob.write(of_bob)
    assert documents.newest("lab").number == 2


def test_a_text_that_was_printed_before_another_change_is_not_applied(
    documents: MemoryDocuments,
) -> None:
    alice, bob = hub(documents), hub(documents, "bob")
    printed = with_header("lab", alice.read())
    bob.write(bob.changed(timeout(7200), ""))

    with pytest.raises(Failure, match="written by bob"):
        alice.write(alice.replaced(printed + "debug: {enabled: true}\n", "apply"))
    alice.write(alice.replaced("debug: {enabled: true}\n", "without a header it replaces all"))
    assert documents.newest("lab").text == "debug: {enabled: true}\n"


def test_a_text_of_another_cluster_is_refused(documents: MemoryDocuments) -> None:
    with pytest.raises(Refusal, match="cluster other"):
        hub(documents).replaced("# labswarm: cluster other, version 1\n", "apply")


def test_a_wrong_text_is_not_written(documents: MemoryDocuments) -> None:
    with pytest.raises(BadDocument):
        hub(documents).replaced("cull: {timeout: 1}", "apply")
    assert documents.newest("lab").number == 0


def test_undo_writes_the_version_before_as_the_newest(documents: MemoryDocuments) -> None:
    alice = hub(documents)
    for seconds in (100, 200, 300):
        alice.write(alice.changed(timeout(seconds), ""))

    alice.write(alice.undone(None))
    assert "200" in documents.newest("lab").text
    alice.write(alice.undone(1))

    assert "100" in documents.newest("lab").text
    assert [version.number for version in alice.history(9)] == [5, 4, 3, 2, 1]


def test_there_is_nothing_to_undo_before_the_first_version(documents: MemoryDocuments) -> None:
    with pytest.raises(Refusal, match="no document yet"):
        hub(documents).undone(None)


def test_a_restart_is_a_version_with_the_same_text(documents: MemoryDocuments) -> None:
    alice = hub(documents)
    alice.write(alice.changed(timeout(100), ""))

    version = alice.restart()

    assert (version.note, version.text) == (RESTART, documents.version("lab", 1).text)  # type: ignore[union-attr]


def test_a_command_waits_until_the_hub_runs_the_version(documents: MemoryDocuments) -> None:
    alice = hub(documents)
    version = alice.write(alice.changed(timeout(100), ""))

    with pytest.raises(Failure, match="has not tried version 1 for 300 s"):
        alice.await_applied(version)
    alice.reports.report_applied("lab", Applied(1, 1, 0.0))
    assert alice.await_applied(version).version == 1


def test_a_command_says_why_the_hub_does_not_run_the_version(documents: MemoryDocuments) -> None:
    alice = hub(documents)
    version = alice.write(alice.changed(timeout(100), ""))
    alice.reports.report_applied("lab", Applied(0, 1, 0.0, "the hub did not answer."))

    with pytest.raises(Failure, match=r"runs version 0 again: the hub did not answer\. "):
        alice.await_applied(version)


@pytest.mark.parametrize("name", ["04-unknown-login", "22-several-problems"])
def test_validate_prints_each_problem_and_exits_with_2(name: str) -> None:
    file = Path(__file__).parent / "documents" / f"{name}.document"

    done = CliRunner().invoke(labswarm, ["hub", "validate", str(file)])

    assert done.exit_code == 2
    said = " ".join(done.output.split())
    for line in file.with_suffix(".txt").read_text().splitlines():
        assert " ".join(line.split()) in said


def test_validate_accepts_a_right_document(tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text("cull: {timeout: 3600}\n")

    done = CliRunner().invoke(labswarm, ["hub", "validate", str(file)])

    assert (done.exit_code, done.output) == (0, f"{file}: no problems\n")
