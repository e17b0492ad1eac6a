"""`labswarm lab logs`: the logs of a lab's parts."""

from pathlib import Path
from typing import Any

import click
from docker import DockerClient

from labswarm_lab.hub import PROXY, SERVICE
from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

_SERVICES = {"hub": SERVICE, "proxy": PROXY}
_NAMED_BY_FILE = (
    "emulator/emulator.log",
    "emulator/record.jsonl",
    "emulator/logs/*.log",
    "registry/registry.log",
    "chef/chef.log",
    "nodes/snapshot.log",
    "nodes/labs.log",
    "nodes/document.log",
)
_NAMED_BY_FOLDER = ("nodes/*/dockerd.log",)


def files(lab: Lab) -> dict[str, Path]:
    """The log files by part.

    `emulator`, `record` (the emulator's events, in order), each function, `registry`, `chef`,
    `snapshot`, `document` and `labs` (the services on the hub's machine), and each node by its
    instance id.
    """

    def named(patterns: tuple[str, ...]) -> list[Path]:
        return [file for pattern in patterns for file in sorted(lab.place.state_dir.glob(pattern))]

    by_file = {file.stem: file for file in named(_NAMED_BY_FILE)}
    return by_file | {file.parent.name: file for file in named(_NAMED_BY_FOLDER)}


def print_logs(lab: Lab, part: str | None, lines: int) -> None:
    """Print the end of one part's log; without a part, name the parts. Raises Refusal."""
    running = lab.running
    found = files(lab)
    services = _SERVICES if running.hub else {}
    names = [*found, *services]
    if part is None:
        click.echo("\n".join(names))
    elif part in services:
        engine: Any = DockerClient(base_url=f"unix://{lab.place.docker_socket(running.manager)}")
        logged = engine.services.get(services[part]).logs(stdout=True, stderr=True, tail=lines)
        for piece in logged:
            click.echo(piece.decode(errors="replace"), nl=False)
    elif part in found:
        with found[part].open(encoding="utf-8", errors="replace") as log:
            click.echo("".join(log.readlines()[-lines:]), nl=False)
    else:
        raise Refusal(f"PART: {unknown('part', part, names)}")
