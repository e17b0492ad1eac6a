"""Students of a lab whose nodes are simulated are among the tasks of its Swarm."""

from pathlib import Path

import pytest

from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.simulated_students import STUDENTS, seat_students, with_students
from labswarm_lab.nodes.swarm_twin import TOKEN, SwarmTwin
from labswarm_node.swarm import SwarmNode


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("LABSWARM_STATE", str(tmp_path))
    found = Place.of("lab")
    found.nodes_dir.mkdir(parents=True)
    return found


def swarm() -> tuple[str, SwarmNode]:
    """A Swarm with a worker, as its twin writes it."""
    twin = SwarmTwin(manager="10.0.0.1:2377")
    twin.found("i-00000000000000001", 1 << 30, 10**9)
    engine = twin.start("i-00000000000000002", 1 << 30, 10**9)
    engine.join(TOKEN, "10.0.0.1:2377", "10.0.0.2", "active")
    worker = next(node for node in twin.nodes() if node.role == "worker")
    return twin.to_json(), worker


def test_a_student_has_a_seat_or_is_in_line(place: Place) -> None:
    text, worker = swarm()
    seat_students(place, {"ada": worker.node_id, "bob": None, "eve": "gone"})

    tasks = SwarmTwin.parse(with_students(text, place)).tasks()

    seen = {task.server.user: (task.node_id, task.waits) for task in tasks}
    assert seen == {"ada": (worker.node_id, False), "bob": (None, True), "eve": (None, True)}


def test_without_the_file_there_is_nobody(place: Place) -> None:
    text, _ = swarm()

    assert with_students(text, place) == text
    assert not (place.nodes_dir / STUDENTS).exists()
