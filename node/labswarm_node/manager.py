"""`labswarm-manager`: commands that the hub's host runs for a worker, one per SSM document."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from labswarm.cluster import INSTANCE_ID
from labswarm.errors import BadInput
from labswarm.notices import KINDS, Notice
from labswarm_node import worker
from labswarm_node.answer import Answer, Parser, answer_of
from labswarm_node.clock import Clock, WallClock
from labswarm_node.config import CLUSTER, SWARM_ID, HubConfig, NodeConfig
from labswarm_node.docker_swarm import DockerSwarm
from labswarm_node.evacuation import MovesFile, evacuate
from labswarm_node.hub import Hub, HubApi
from labswarm_node.lost_services import remove_lost_services
from labswarm_node.notifying import announce_hub, notify
from labswarm_node.swarm import Swarm

_COMMANDS = {
    "pause": "pause a worker: Swarm starts nothing new there",
    "activate": "open a worker to new servers",
    "notify": "notify the students on a worker that it leaves",
    "evacuate": "move the students' servers off a worker, for up to 5 s",
    "drain": "drain a worker: end every server that is left",
    "remove": "remove a worker that has left",
}


@dataclass(frozen=True)
class Surroundings:
    """The systems that the tool talks to."""

    swarm: Callable[[NodeConfig], Swarm]
    hub: Callable[[HubConfig], Hub]
    clock: Clock = field(default_factory=WallClock)


REAL = Surroundings(swarm=lambda config: DockerSwarm(config.docker_host), hub=HubApi)


def answer(
    arguments: Sequence[str], environment: Mapping[str, str], surroundings: Surroundings = REAL
) -> Answer:
    """Run one subcommand; never raises one of the three kinds of errors."""
    return answer_of(lambda: _run(arguments, environment, surroundings))


def main() -> int:
    """Entry point: one line of JSON on standard output."""
    answered = answer(sys.argv[1:], os.environ)
    print(answered.line)
    return answered.exit_code


def _run(
    arguments: Sequence[str], environment: Mapping[str, str], surroundings: Surroundings
) -> dict[str, Any]:
    options = _parser().parse_args(arguments)
    config = NodeConfig.read(environment)
    if config.hub is None:
        raise BadInput("role", f"is {config.role!r}; labswarm-manager runs on the hub")
    if options.command == "announce-hub":
        return announce_hub(surroundings.hub(config.hub), _deadline(options.deadline))
    swarm = surroundings.swarm(config)
    if options.command == "remove-down-nodes":
        return worker.remove_down_nodes(swarm, _ids("--nodes", options.nodes))
    if options.command == "remove-lost-services":
        return remove_lost_services(
            swarm, surroundings.hub(config.hub), _ids("--services", options.services)
        )
    instance_id: str = options.instance
    if not INSTANCE_ID.fullmatch(instance_id):
        raise BadInput("--instance", f"is {instance_id!r}; write an id like i-0123456789abcdef0")
    moves = MovesFile(config.state_dir, instance_id)
    match options.command:
        case "pause":
            return worker.pause(swarm, instance_id)
        case "activate":
            return worker.activate(swarm, instance_id, _cluster(options.cluster))
        case "notify":
            notice = _notice(options.kind, options.deadline)
            return notify(swarm, surroundings.hub(config.hub), instance_id, notice)
        case "evacuate":
            hub = surroundings.hub(config.hub)
            return evacuate(swarm, hub, moves, instance_id, surroundings.clock)
        case "drain":
            return worker.drain(swarm, instance_id)
        case _:
            removed = worker.remove(swarm, instance_id)
            moves.delete()
            return removed


@cache
def _parser() -> Parser:
    parser = Parser(prog="labswarm-manager", description="Run a manager's command for a worker.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in _COMMANDS.items():
        command = commands.add_parser(name, help=what)
        command.add_argument("--instance", required=True, help="name the worker by its instance id")
        if name == "activate":
            command.add_argument("--cluster", default="", help="label it as this cluster's worker")
        if name == "notify":
            command.add_argument("--kind", required=True, help=f"send one of {', '.join(KINDS)}")
            command.add_argument(
                "--deadline", required=True, help="end its servers' time then: ISO 8601, UTC"
            )
    announce = commands.add_parser(
        "announce-hub", help="notify all students that the hub goes down for a moment"
    )
    announce.add_argument(
        "--deadline", required=True, help="name the time at which it goes down: ISO 8601, UTC"
    )
    nodes = commands.add_parser("remove-down-nodes", help="remove nodes that are down")
    nodes.add_argument(
        "--nodes", required=True, help="name the nodes by their Swarm ids, separated by commas"
    )
    services = commands.add_parser(
        "remove-lost-services", help="remove students' services that the hub has lost"
    )
    services.add_argument(
        "--services",
        required=True,
        help="name the services by their Swarm ids, separated by commas",
    )
    return parser


def _notice(kind: str, deadline: str) -> Notice:
    known = next((one for one in KINDS if one == kind), None)
    if known is None:
        raise BadInput("--kind", f"is {kind!r}; write one of {', '.join(KINDS)}")
    return Notice(known, _deadline(deadline))


def _deadline(deadline: str) -> int:
    """Return a time in epoch seconds."""
    try:
        at = datetime.strptime(deadline, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInput(
            "--deadline", f"is {deadline!r}; write a time like 2026-01-31T12:00:00Z"
        ) from error
    return int(at.timestamp())


def _cluster(text: str) -> str | None:
    if text and not CLUSTER.fullmatch(text):
        raise BadInput("--cluster", f"is {text!r}; write a cluster's name like {CLUSTER.pattern}")
    return text or None


def _ids(option: str, text: str) -> list[str]:
    ids = text.split(",")
    for one in ids:
        if not SWARM_ID.fullmatch(one):
            raise BadInput(option, f"{one!r} is no id of Swarm's; write 25 of a-z and 0-9")
    return ids


if __name__ == "__main__":
    sys.exit(main())
