"""`labswarm lab logs`: the logs of a lab's parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from docker import DockerClient

from labswarm_lab.hub import PROXY, SERVICE
from labswarm_lab.hub_logs import LabLogs, Lines
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
        for piece in _service(lab, services[part]).logs(stdout=True, stderr=True, tail=lines):
            click.echo(piece.decode(errors="replace"), nl=False)
    elif part in found:
        with found[part].open(encoding="utf-8", errors="replace") as log:
            click.echo("".join(log.readlines()[-lines:]), nl=False)
    else:
        raise Refusal(f"PART: {unknown('part', part, names)}")


def hub_logs(lab: Lab) -> LabLogs:
    """Return the logs of the lab's hub. Raises Refusal when the lab is not up."""
    services = {part: _of_service(lab, name) for part, name in _SERVICES.items()}
    of_document = _of_file(lab.place.nodes_dir / "document.log")
    there = {**services, "document": of_document} if lab.running.hub else {}
    return LabLogs(f"/labswarm/{lab.cluster}/hub", there)


def _service(lab: Lab, name: str) -> Any:
    engine: Any = DockerClient(base_url=f"unix://{lab.place.docker_socket(lab.running.manager)}")
    return engine.services.get(name)


def _of_service(lab: Lab, name: str) -> Lines:
    def lines(since: float) -> Iterator[str]:
        logged = _service(lab, name).logs(
            stdout=True, stderr=True, timestamps=True, since=int(since)
        )
        yield from b"".join(logged).decode(errors="replace").splitlines()

    return lines


def _of_file(file: Path) -> Lines:
    def lines(_since: float) -> Iterator[str]:
        if file.exists():
            yield from file.read_text(encoding="utf-8", errors="replace").splitlines()

    return lines
