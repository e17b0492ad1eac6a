"""`labswarm-document`: the service on the hub's host that applies the hub's document.

It looks at the document every few seconds. A new version becomes the hub's settings file, and the
hub restarts; students' servers and open pages stay. A hub that does not answer gets its last good
settings back. Every half minute it writes for the hub to which clusters AWS sells no machines.
Permissions of the hub's role: dynamodb:Query and GetItem on its own cluster's versions, GetItem on
its clusters' items of lab hours' table, ssm:GetParameter and PutParameter on its report,
secretsmanager:GetSecretValue on its logins'.
"""

import argparse
import logging
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from labswarm.aws.applied import SsmReports
from labswarm.aws.dynamodb import state
from labswarm.aws.dynamodb.documents import DynamoDocuments
from labswarm.aws.errors import named
from labswarm.errors import BadInput, LabswarmError, Permanent, Transient
from labswarm.names import app_name
from labswarm_node.aws import clients, reached
from labswarm_node.clock import Clock, WallClock
from labswarm_node.config import NodeConfig
from labswarm_node.document import DocumentService, Files
from labswarm_node.every import add_every
from labswarm_node.running_hub import SwarmHub
from labswarm_node.shortages import ShortageService

EVERY_S = 10.0
TABLE = app_name("documents")
FOLDER = "/srv/labswarm/hub"
_LONGEST_PAUSE_S = 60.0

log = logging.getLogger("labswarm-document")


def run(look: Callable[[], None], clock: Clock, every_s: float) -> NoReturn:
    """Look for ever. Without an answer, wait longer each time, with jitter."""
    failures, pause_s = 0, every_s
    while True:
        try:
            with reached():
                look()
            failures, pause_s = 0, every_s
        except Transient as error:
            failures += 1
            pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
            log.warning("failed %d times: %s", failures, error)
        clock.sleep(pause_s * random.uniform(0.8, 1))  # noqa: S311  # not all hubs at once


def main() -> int:
    """Entry point: run until the process is ended or an error is not retryable."""
    return serve(sys.argv[1:], os.environ)


def serve(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the service of the hub that node.json names; return the exit code when it fails."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("botocore").setLevel(logging.WARNING)
    options = _parser().parse_args(arguments)
    clock = WallClock()
    try:
        config = NodeConfig.read(environment)
        if config.hub is None:
            raise BadInput("role", f"is {config.role!r}; labswarm-document runs on the hub")
        client = clients(config)
        files = Files(options.folder)
        service = DocumentService(
            config.cluster,
            DynamoDocuments(client("dynamodb"), options.table),
            SsmReports(client("ssm")),
            SwarmHub(config.docker_host, config.hub.api_url),
            lambda name: _secret(client("secretsmanager"), name),
            files,
            clock,
        )
        shortages = ShortageService(
            config.cluster,
            state.DynamoLabHoursStates(client("dynamodb"), state.TABLE),
            files,
            clock,
        )

        def look() -> None:
            service.look()
            shortages.look()

        run(look, clock, options.every)
    except LabswarmError as error:
        log.error("exiting: this error is not retryable: %s", error)  # noqa: TRY400
        return 2 if isinstance(error, BadInput) else 1


def _secret(secrets: Any, name: str) -> str:
    """Return a secret's text. Raises Permanent for one without text."""
    with named():
        text = secrets.get_secret_value(SecretId=name).get("SecretString")
    if not isinstance(text, str) or not text.strip():
        raise Permanent(f"the secret {name} has no text")
    return text.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labswarm-document", description="Carry the hub's document to the hub, for ever."
    )
    add_every(parser, EVERY_S)
    parser.add_argument("--table", default=TABLE, help="read the versions from this table")
    parser.add_argument(
        "--folder", type=Path, default=Path(FOLDER), help="write the hub's settings to this folder"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
