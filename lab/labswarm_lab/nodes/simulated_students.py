"""Students of a lab whose nodes are simulated: a file of their seats, next to the Swarm's.

Such a lab has no hub, and its students' servers are entries. Everything that looks at the Swarm
sees them, so that lab hours size the cluster for a class that this machine could not run.
"""

import json
from collections.abc import Mapping

from labswarm_lab.nodes.place import Place

STUDENTS = "students.json"


def seat_students(place: Place, seats: Mapping[str, str | None]) -> None:
    """Let these students, and no others, be there: each on a node, by its id, or in line (None)."""
    part = (place.nodes_dir / STUDENTS).with_suffix(".part")
    part.write_text(json.dumps(dict(seats)))
    part.replace(place.nodes_dir / STUDENTS)


def with_students(swarm: str, place: Place) -> str:
    """Return the Swarm, as SwarmTwin writes it, with the students in it.

    A student whose node is gone is in line.
    """
    file = place.nodes_dir / STUDENTS
    if not file.exists():
        return swarm
    values = json.loads(swarm)
    servers = {member["node"]["node_id"]: member["servers"] for member in values["members"]}
    for user, node_id in json.loads(file.read_text()).items():
        there = servers.get(node_id, values["line"])
        there.append({"user": user, "name": "", "service": f"jupyter-{user}"})
    return json.dumps(values)
