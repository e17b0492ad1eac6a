"""`labswarm-node`: commands that a node runs for itself, one per SSM document, and `report-start`,
which it runs when it boots.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from labswarm_node import membership
from labswarm_node.answer import Answer, Parser, answer_of
from labswarm_node.chef_identity import public_key
from labswarm_node.chef_run import ChefClient, converge, run_client
from labswarm_node.clock import Clock, WallClock
from labswarm_node.config import NodeConfig
from labswarm_node.docker_swarm import DockerEngine
from labswarm_node.join_secret import JoinSecret, read_join_secret
from labswarm_node.start_report import EventReports, Reports, report_start
from labswarm_node.swarm import Engine


@dataclass(frozen=True)
class Surroundings:
    """The systems that the tool talks to."""

    engine: Callable[[NodeConfig], Engine]
    join_secret: Callable[[NodeConfig], JoinSecret]
    chef_client: ChefClient
    reports: Callable[[NodeConfig], Reports] = EventReports
    clock: Clock = field(default_factory=WallClock)


REAL = Surroundings(
    engine=lambda config: DockerEngine(config.docker_host),
    join_secret=read_join_secret,
    chef_client=run_client,
)


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
    match options.command:
        case "report-start":
            # The first command has the node make its key.
            key = config.chef.key_file
            return report_start(surroundings.reports(config), key.exists, surroundings.clock)
        case "identify":
            return {"public_key": public_key(config.chef)}
        case "bootstrap":
            client = converge(config.chef, options.run_list, surroundings.chef_client)
            return {"converged": True, "client": client}
        case "join":
            secret = surroundings.join_secret(config)
            return membership.join(surroundings.engine(config), secret, config.advertise_address)
        case "pull":
            images = [image for image in options.images.split(",") if image]
            return membership.pull(surroundings.engine(config), images or config.images)
        case _:
            return membership.leave(surroundings.engine(config))


@cache
def _parser() -> Parser:
    parser = Parser(prog="labswarm-node", description="Run a node's command for itself.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "report-start", help="report that the node's SSM agent has started, until a command comes"
    )
    commands.add_parser(
        "identify", help="make a Chef key pair if there is none, and print its public half"
    )
    bootstrap = commands.add_parser("bootstrap", help="run chef-client")
    bootstrap.add_argument("--run-list", required=True, help="run these roles: role[NAME],...")
    commands.add_parser("join", help="join the cluster's Swarm, paused")
    pull = commands.add_parser("pull", help="pull missing class images")
    pull.add_argument(
        "--images", default="", help="pull these, separated by commas, not those of node.json"
    )
    commands.add_parser("leave", help="leave the Swarm")
    return parser


if __name__ == "__main__":
    sys.exit(main())
