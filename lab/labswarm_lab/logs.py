"""The lab's log files, by the part of it that wrote them."""

from pathlib import Path

import click

from labswarm_lab.lab import Lab
from labswarm_lab.refusal import Refusal


def parts(lab: Lab) -> dict[str, Path]:
    """Every log of the lab: its path below the state folder without the ending, to its file."""
    files = [*lab.place.state_dir.glob("**/*.log"), *lab.place.state_dir.glob("**/*.jsonl")]
    return {
        str(file.relative_to(lab.place.state_dir).with_suffix("")): file
        for file in sorted(files)
        if not file.is_relative_to(lab.homes)
    }


def print_logs(lab: Lab, part: str | None, lines: int) -> None:
    """Print the end of one part's log; without a part, name the parts. Raises Refusal."""
    found = parts(lab)
    if not found:
        raise Refusal(f"the lab {lab.cluster!r} has logged nothing; `make lab` brings one up")
    if part is None:
        for name in found:
            click.echo(name)
        return
    if part not in found:
        raise Refusal(f"PART: there is no {part!r}; there are {', '.join(found)}")
    with found[part].open(encoding="utf-8", errors="replace") as log:
        for line in log.readlines()[-lines:]:
            click.echo(line.rstrip("\n"))
