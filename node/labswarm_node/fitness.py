"""`labswarm-fitness`: the service on each worker that reports when its homes cannot be used.

It looks at the homes every few seconds, and sets a label of the worker's own Docker Engine. The
Engine reports its labels to the Swarm's managers within 20 s (swarmkit, agent/agent.go:
nodeUpdatePeriod), so the worker needs no permission and no connection for it.
"""

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from labswarm import labels
from labswarm.errors import LabswarmError, Transient
from labswarm.homes import MARKER
from labswarm_node.clock import Clock, WallClock
from labswarm_node.config import NodeConfig
from labswarm_node.engine_api import EngineApi

EVERY_S = 10.0
ANSWERS_WITHIN_S = 5.0
LOOKS = 2
"""So many looks in a row have to fail: one may meet a file system that is busy."""
LABEL = f"{labels.UNFIT}=homes"

log = logging.getLogger("labswarm-fitness")


class Homes:
    """The folder of the homes on this worker."""

    def __init__(self, folder: Path, within_s: float = ANSWERS_WITHIN_S) -> None:
        self._marker = folder / MARKER
        self._within_s = within_s
        # A file system that does not answer holds its reader, and no signal ends that. So a process
        # of its own looks, and a process that is still held is not started a second time.
        self._looking: subprocess.Popen[str] | None = None

    def problem(self) -> str | None:
        """Return why the homes cannot be used; None if they can."""
        looking = self._looking or subprocess.Popen(
            ["stat", "--", self._marker],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, said = looking.communicate(timeout=self._within_s)
        except subprocess.TimeoutExpired:
            self._looking = looking
            return f"{self._marker} does not answer within {self._within_s:g} s"
        self._looking = None
        return None if looking.returncode == 0 else said.strip() or f"{self._marker} is not there"


class Labelled(Protocol):
    """The worker's Engine. Raises Transient when it does not answer."""

    def is_unfit(self) -> bool:
        """Whether the Engine has the label."""

    def set_unfit(self, unfit: bool) -> None:
        """Give the Engine the label, or take it away; its containers run on."""


class EngineLabels:
    """`Labelled` on the Docker Engine that this worker's daemon.json configures."""

    def __init__(self, docker_host: str, daemon_json: Path, pid_file: Path) -> None:
        self._api = EngineApi(docker_host)
        self._daemon_json = daemon_json
        self._pid_file = pid_file

    def is_unfit(self) -> bool:
        return LABEL in (self._api.call("GET", "/info")["Labels"] or ())

    def set_unfit(self, unfit: bool) -> None:
        # The Engine reads its labels again at this signal, and keeps its containers:
        # https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior
        try:
            text = json.dumps(labelled(json.loads(self._daemon_json.read_text()), unfit), indent=2)
            new = self._daemon_json.with_name("daemon.json.new")
            new.write_text(text + "\n")
            new.replace(self._daemon_json)
            os.kill(int(self._pid_file.read_text()), signal.SIGHUP)
        except (OSError, ValueError) as error:
            raise Transient(f"the Engine's labels cannot be changed: {error}") from error


def labelled(settings: Mapping[str, Any], unfit: bool) -> dict[str, Any]:
    """Return the Engine's settings (daemon.json) with or without the label."""
    others = [label for label in settings.get("labels", ()) if label != LABEL]
    return {**settings, "labels": [*others, LABEL] if unfit else others}


class Fitness:
    """Keeps the Engine's label as the homes are."""

    def __init__(self, homes: Homes, engine: Labelled) -> None:
        self._homes = homes
        self._engine = engine
        self._failed = 0

    def look(self) -> None:
        """Look once. Raises Transient when the Engine does not answer."""
        problem = self._homes.problem()
        self._failed = self._failed + 1 if problem else 0
        if problem and self._failed < LOOKS:
            return
        if self._engine.is_unfit() != bool(problem):
            self._engine.set_unfit(bool(problem))
            log.warning("the homes: %s", problem or "they can be used again")


def main() -> int:
    """Entry point: look for ever; exit 2 when node.json is wrong."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        return serve(sys.argv[1:], os.environ, WallClock())
    except LabswarmError as error:
        log.error("exiting: this error is not retryable: %s", error)  # noqa: TRY400
        return 2


def serve(arguments: Sequence[str], environment: Mapping[str, str], clock: Clock) -> int:
    """Look at the homes for ever. Raises BadInput when node.json is wrong."""
    options = _parser().parse_args(arguments)
    config = NodeConfig.read(environment)
    engine = EngineLabels(config.docker_host, options.daemon_json, options.pid_file)
    fitness = Fitness(Homes(options.homes), engine)
    while True:
        try:
            fitness.look()
        except Transient as error:
            log.warning("again in %g s: %s", EVERY_S, error)
        clock.sleep(EVERY_S)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labswarm-fitness",
        description="Report to the Swarm when this worker's homes cannot be used, for ever.",
    )
    parser.add_argument(
        "--homes", type=Path, default=Path("/homes"), help="look in this folder of homes"
    )
    parser.add_argument(
        "--daemon-json",
        type=Path,
        default=Path("/etc/docker/daemon.json"),
        help="write the label into these Docker Engine settings",
    )
    parser.add_argument(
        "--pid-file",
        type=Path,
        default=Path("/run/docker.pid"),
        help="read the Docker Engine's process id here",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
