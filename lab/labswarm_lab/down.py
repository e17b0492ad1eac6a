"""Ending a lab: whatever is there of it, and whatever has become of what started it."""

import shutil
from pathlib import Path

import click

from labswarm_lab.lab import Lab
from labswarm_lab.nodes import sweep
from labswarm_operator.progress import say, step


def remains(lab: Lab) -> list[str]:
    """Everything that is there of the lab, a line each, but for the students' homes."""
    return [*sweep.leftovers(lab.place), *(f"folder {folder}" for folder in _folders(lab))]


def print_remains(lab: Lab, *, homes: bool) -> None:
    """Print what `bring_down` would end and remove."""
    for line in remains(lab):
        click.echo(line)
    if homes and lab.homes.exists():
        click.echo(f"folder {lab.homes}")


def bring_down(lab: Lab, *, homes: bool = False) -> None:
    """End the lab and remove all that is there of it; homes stay unless `homes`.

    A lab that is not there is no error: there is nothing left of it.
    """
    with step(f"ending the lab {lab.cluster!r}"):
        end(lab)
        if homes and lab.homes.exists():
            shutil.rmtree(lab.homes)
    kept = f"; the students' homes are kept in {lab.homes}" if lab.homes.exists() else ""
    say(f"Nothing is left of the lab {lab.cluster!r}{kept}.")


def end(lab: Lab) -> None:
    """End and remove everything that `remains` names; doing it twice is no error."""
    sweep.clear(lab.place)
    for folder in _folders(lab):
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()


def _folders(lab: Lab) -> list[Path]:
    """What `up` makes in the lab's folder beside what the sweep knows, and the homes."""
    return [path for path in lab.parts if path.exists()]
