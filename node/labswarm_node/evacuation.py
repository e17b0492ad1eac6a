"""Moving students' servers off a worker: stop there, then start elsewhere.

A call takes steps until no server is there and none is on its way, for as long as a manager command
may take; the state machine calls it again. What was stopped is written down before it is, so that
nobody's server is forgotten by a crash.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labswarm.clock import Clock, looks
from labswarm.errors import Permanent, Transient
from labswarm_node.chef_identity import write_private
from labswarm_node.hub import Hub
from labswarm_node.side_by_side import each, in_order
from labswarm_node.swarm import Server, Swarm, SwarmNode
from labswarm_node.worker import find, pause

# A server that ends takes a second or two. With the step that begins last, some 4 s; a hub that
# does not answer makes it longer.
_BEGIN_WITHIN_S = 3.5
_FIRST_S, _MOST_S = 0.2, 1.0


@dataclass(frozen=True)
class Moves:
    """One worker's evacuation so far: servers that were stopped and are not back, those whose start
    elsewhere was asked for, and of these those for which it was twice."""

    moving: frozenset[Server] = field(default_factory=frozenset)
    moved: frozenset[Server] = field(default_factory=frozenset)
    again: frozenset[Server] = field(default_factory=frozenset)


class MovesFile:
    """Remembers the moves of one worker between two steps, in a file of its own."""

    def __init__(self, state_dir: Path, instance_id: str) -> None:
        self._path = state_dir / f"{instance_id}.json"

    def read(self) -> Moves:
        """What was written last; nothing yet without a file. Raises Permanent for a broken one."""
        try:
            values = json.loads(self._path.read_text())
            return Moves(
                frozenset(Server(**server) for server in values["moving"]),
                frozenset(Server(**server) for server in values["moved"]),
                # An older tool has written none.
                frozenset(Server(**server) for server in values.get("again", ())),
            )
        except FileNotFoundError:
            return Moves()
        except (ValueError, KeyError, TypeError) as error:
            raise Permanent(f"{self._path} cannot be read ({error}); delete it") from error

    def write(self, moves: Moves) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        values = {
            "moving": [asdict(server) for server in in_order(moves.moving)],
            "moved": [asdict(server) for server in in_order(moves.moved)],
            "again": [asdict(server) for server in in_order(moves.again)],
        }
        write_private(self._path, json.dumps(values).encode())

    def forget(self) -> None:
        """The worker is gone for good."""
        self._path.unlink(missing_ok=True)


def evacuate(
    swarm: Swarm, hub: Hub, file: MovesFile, instance_id: str, clock: Clock
) -> dict[str, Any]:
    """Take steps until all are moved, or there is no time for another; what the last one answers.

    Raises what a step raises.
    """
    answer: dict[str, Any] = {}
    for look in looks(clock, _BEGIN_WITHIN_S, _FIRST_S, _MOST_S):
        answer = step(swarm, hub, file, instance_id, first=look == 0)
        if not (answer["servers"] or answer["moving"]):
            break
    return answer


def step(
    swarm: Swarm, hub: Hub, file: MovesFile, instance_id: str, *, first: bool = True
) -> dict[str, Any]:
    """Stop what the hub runs there, start elsewhere what has ended there, and see who is back.

    A worker that is open is paused before. Whoever finds no seat counts as back: a new node, for
    which nobody waits here, will have one. Of a worker that is down, or not in the Swarm any more,
    the servers have ended. A server that the hub refuses for good (its student was deleted), or
    that twice did not start, is named in `refused` and hinders no other. Not the `first` of several
    steps, it does not ask the hub again of what is still ending. Raises Transient when the hub or
    the Swarm does not answer; what was done by then stays done.
    """
    node = find(swarm, instance_id)
    if node and node.availability == "active":
        # Whoever was to pause it did not come through, or it was opened since: what is started
        # elsewhere would come back to the seat that it has left.
        pause(swarm, instance_id)
    there = frozenset(swarm.servers_on(node.node_id)) if node else frozenset()
    down = node is None or node.state == "down"
    alive = frozenset() if down else there
    moves = file.read()
    ending = frozenset() if first else moves.moving & alive
    running = each(lambda s: hub.running(s.user, s.name), (there | moves.moving) - ending)

    # On a node that is down tasks are listed for a day, and on one that was, until it has ended
    # them: what was moved runs elsewhere by now, and so does what its student has started again.
    left = there - ending - (moves.moved if down else frozenset())
    if node and left:
        left -= _elsewhere(swarm, node)
    stopping = {s for s in left if running[s] == "ready"}
    file.write(Moves(moves.moving | stopping, moves.moved, moves.again))
    stopped = each(lambda s: hub.stop(s.user, s.name), stopping)

    ended = moves.moving - alive
    # The hub loses a start that it is at when it ends: then there is none, and it is asked again,
    # once. What is absent after that fails for good, or its student has stopped it.
    absent = {s for s in ended if running[s] == "absent"}
    started = each(lambda s: hub.start(s.user, s.name), absent - moves.again)
    # Ready without having been asked for: the student was faster. Pending, where nothing was
    # started yet, may be the stop.
    ready = {s for s in ended if running[s] == "ready"}
    starting = {s for s in ended & moves.moved if running[s] == "pending"}
    back = ready - left | _in_line(swarm, starting)
    asked = frozenset(s for s, error in started.items() if error is None)

    outcomes = [*running.items(), *stopped.items(), *started.items()]
    refused = {s for s, outcome in outcomes if isinstance(outcome, Permanent)}
    refused |= absent & moves.again
    done = Moves(
        (moves.moving | stopping) - back - refused,
        moves.moved | back | asked,
        moves.again | (asked & moves.moved),
    )
    file.write(done)
    for _, outcome in outcomes:
        if isinstance(outcome, Transient):
            raise outcome
    return {
        "servers": [server.service for server in in_order(alive)],
        "moved": [server.service for server in in_order(done.moved)],
        "moving": [server.service for server in in_order(done.moving)],
        "refused": [server.service for server in in_order(refused)],
    }


def _in_line(swarm: Swarm, starting: set[Server]) -> set[Server]:
    """Those of them that wait for a seat."""
    if not starting:
        return set()
    return starting & {task.server for task in swarm.tasks() if task.waits}


def _elsewhere(swarm: Swarm, node: SwarmNode) -> frozenset[Server]:
    """The servers that have a task on another node, which is not down."""
    living = {other.node_id for other in swarm.nodes() if other.state != "down"} - {node.node_id}
    return frozenset(task.server for task in swarm.tasks() if task.node_id in living)
