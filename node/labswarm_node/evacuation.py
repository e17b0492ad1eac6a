"""Move students' servers off a worker: stop them there, then start them on another node.

One call takes steps until no server is left there and none is still moving, or until the time of a
manager command is over; the state machine calls it again. A server is stopped once the student's
pages have saved. The moves are written to a file before a server is stopped, so that a crash
forgets nobody's server.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm_node.chef_identity import write_private
from labswarm_node.clock import Clock, backoff
from labswarm_node.concurrent import by_service, for_each
from labswarm_node.hub import Hub
from labswarm_node.swarm import Server, Swarm, SwarmNode
from labswarm_node.worker import find, pause

# A server takes a second or two to end. With the step that begins last that makes some 4 s, and
# more when the hub does not answer.
_BEGIN_WITHIN_S = 3.5
_FIRST_S, _MOST_S = 0.2, 1.0
SAVE_WITHIN_S = 20.0
"""Pages have so long to save, from the first step on (s). AWS gives two minutes for everything."""


@dataclass(frozen=True)
class Moves:
    """One worker's evacuation so far.

    `moving` are the servers that were stopped and are not back, `moved` those whose start elsewhere
    was requested, and `again` those of them whose start was requested twice. Pages that are saving
    are waited for until `save_by` (epoch s), which the first step sets.
    """

    moving: frozenset[Server] = field(default_factory=frozenset)
    moved: frozenset[Server] = field(default_factory=frozenset)
    again: frozenset[Server] = field(default_factory=frozenset)
    save_by: float | None = None


class MovesFile:
    """Keeps the moves of one worker between two steps, in a file of its own."""

    def __init__(self, state_dir: Path, instance_id: str) -> None:
        self._path = state_dir / f"{instance_id}.json"

    def read(self) -> Moves:
        """Return the moves written last, or empty ones without a file.

        Raises Permanent for a file that cannot be parsed.
        """
        try:
            values = json.loads(self._path.read_text())
            return Moves(
                frozenset(Server(**server) for server in values["moving"]),
                frozenset(Server(**server) for server in values["moved"]),
                # A file of an older version has neither this nor the next.
                frozenset(Server(**server) for server in values.get("again", ())),
                values.get("save_by"),
            )
        except FileNotFoundError:
            return Moves()
        except (ValueError, KeyError, TypeError) as error:
            raise Permanent(f"{self._path} cannot be read ({error}); delete it") from error

    def write(self, moves: Moves) -> None:
        """Replace the file by these moves."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        values = {
            "moving": [asdict(server) for server in by_service(moves.moving)],
            "moved": [asdict(server) for server in by_service(moves.moved)],
            "again": [asdict(server) for server in by_service(moves.again)],
            "save_by": moves.save_by,
        }
        write_private(self._path, json.dumps(values).encode())

    def delete(self) -> None:
        """Delete the file: the worker is gone for good."""
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Seen:
    """The servers of one worker at the beginning of a step.

    `alive` still run on the worker, `left` are those that the hub has to stop there, and `ended`
    were stopped by an earlier step and have ended. `running` is the hub's answer for each server.
    """

    alive: frozenset[Server]
    left: frozenset[Server]
    ended: frozenset[Server]
    running: Mapping[Server, str | LabswarmError]

    def those(self, servers: Iterable[Server], state: str) -> frozenset[Server]:
        """Return those of the servers that the hub calls `ready`, `pending` or `absent`."""
        return frozenset(server for server in servers if self.running.get(server) == state)


def evacuate(
    swarm: Swarm, hub: Hub, file: MovesFile, instance_id: str, clock: Clock
) -> dict[str, Any]:
    """Take steps until every server is moved or the time is over; return the last step's answer.

    Raises the errors of `step`.
    """
    answer: dict[str, Any] = {}
    for look in backoff(clock, _BEGIN_WITHIN_S, _FIRST_S, _MOST_S):
        answer = step(swarm, hub, file, instance_id, clock.now(), first=look == 0)
        if not (answer["servers"] or answer["moving"]):
            break
    return answer


def step(
    swarm: Swarm, hub: Hub, file: MovesFile, instance_id: str, now: float, *, first: bool = True
) -> dict[str, Any]:
    """Stop the servers on a worker, start elsewhere those that have ended, and see which are back.

    `now` is in epoch seconds. Pauses a worker that is open. A server whose pages are saving is left
    for a later step, until 20 s after the first one. A server that waits for a seat counts as back:
    it starts on the next node that opens. A server that the hub refuses for good (its student was
    deleted), or that twice did not start, is named in `refused` and delays no other. The servers of
    a worker that is down or not in the Swarm have ended. With `first` false, the hub is
    not asked again about servers that are still ending. Raises Transient when the hub or the Swarm
    does not answer; everything done by then stays done.
    """
    node = find(swarm, instance_id)
    if node and node.availability == "active":
        # Its pause failed, or it was opened since: servers would be started on the seats they left.
        pause(swarm, instance_id)
    moves = file.read()
    if moves.save_by is None:
        moves = replace(moves, save_by=now + SAVE_WITHIN_S)
    seen = _look(swarm, hub, node, moves, first=first)

    stopping = seen.those(seen.left, "ready")
    if moves.save_by is not None and now < moves.save_by:
        stopping -= _saving(hub, stopping & seen.alive)
    file.write(replace(moves, moving=moves.moving | stopping))
    stopped = for_each(lambda s: hub.stop(s.user, s.name), stopping)

    # A hub that restarts forgets the start it was working on, so an absent server is started again,
    # once. If it is absent after that, its start fails for good or its student has stopped it.
    absent = seen.those(seen.ended, "absent")
    started = for_each(lambda s: hub.start(s.user, s.name), absent - moves.again)
    requested = frozenset(s for s, error in started.items() if error is None)

    outcomes = [*seen.running.items(), *stopped.items(), *started.items()]
    refused = {s for s, outcome in outcomes if isinstance(outcome, Permanent)}
    refused |= absent & moves.again
    back = _back(swarm, seen, moves)
    done = Moves(
        (moves.moving | stopping) - back - refused,
        moves.moved | back | requested,
        moves.again | (requested & moves.moved),
        moves.save_by,
    )
    file.write(done)
    for _, outcome in outcomes:
        if isinstance(outcome, Transient):
            raise outcome
    return {
        "servers": _services(seen.alive),
        "moved": _services(done.moved),
        "moving": _services(done.moving),
        "refused": _services(refused),
    }


def _look(swarm: Swarm, hub: Hub, node: SwarmNode | None, moves: Moves, *, first: bool) -> _Seen:
    there = frozenset(swarm.servers_on(node.node_id)) if node else frozenset()
    down = node is None or node.state == "down"
    alive = frozenset() if down else there
    ending = frozenset() if first else moves.moving & alive
    running = for_each(lambda s: hub.running(s.user, s.name), (there | moves.moving) - ending)
    # Swarm lists the tasks of a node that is down for a day, and those of one that was down until
    # it has ended them. Servers that were moved, or started again by their student, run elsewhere.
    left = there - ending - (moves.moved if down else frozenset())
    if node and left:
        left -= _elsewhere(swarm, node)
    return _Seen(alive, left, moves.moving - alive, running)


def _saving(hub: Hub, servers: Iterable[Server]) -> frozenset[Server]:
    """Return the servers that a page is saving to.

    A server that is too busy to answer may be one of them.
    """
    outcomes = for_each(lambda s: hub.is_saving(s.user, s.name), servers)
    return frozenset(
        s for s, saving in outcomes.items() if saving is True or isinstance(saving, Transient)
    )


def _back(swarm: Swarm, seen: _Seen, moves: Moves) -> frozenset[Server]:
    """Return the servers that need no more work: ready again, or waiting for a seat."""
    # A server may be ready without a request of ours: its student was faster.
    ready = seen.those(seen.ended, "ready")
    # Before its start was requested, "pending" may also be the stop.
    starting = seen.those(seen.ended & moves.moved, "pending")
    return (ready - seen.left) | _in_line(swarm, starting)


def _in_line(swarm: Swarm, starting: frozenset[Server]) -> frozenset[Server]:
    """Return those of the servers that wait for a seat."""
    if not starting:
        return frozenset()
    return starting & {task.server for task in swarm.tasks() if task.waits}


def _elsewhere(swarm: Swarm, node: SwarmNode) -> frozenset[Server]:
    """Return the servers that have a task on another node that is not down."""
    living = {other.node_id for other in swarm.nodes() if other.state != "down"} - {node.node_id}
    return frozenset(task.server for task in swarm.tasks() if task.node_id in living)


def _services(servers: Iterable[Server]) -> list[str]:
    return [server.service for server in by_service(servers)]
