"""`labswarm lab down`: remove all parts of a lab, also after a crash."""

import shutil
from pathlib import Path

import click

from labswarm_lab.lab import Lab
from labswarm_lab.nodes import sweep
from labswarm_operator.progress import say, step


def remains(lab: Lab) -> list[str]:
    """List every part of the lab, one line each, except the students' homes."""
    return [*sweep.leftovers(lab.place), *(f"folder {folder}" for folder in _folders(lab))]


def print_remains(lab: Lab, *, homes: bool) -> None:
    """Print the parts that `bring_down` would remove."""
    for line in remains(lab):
        click.echo(line)
    if homes and lab.homes.exists():
        click.echo(f"folder {lab.homes}")


def bring_down(lab: Lab, *, homes: bool = False) -> None:
    """End the lab and remove all its parts; keep the homes unless `homes`.

    A lab that is not there is no error.
    """
    with step(f"ending the lab {lab.cluster!r}"):
        end(lab)
        if homes and lab.homes.exists():
            shutil.rmtree(lab.homes)
    kept = f" The students' homes stay in {lab.homes}." if lab.homes.exists() else ""
    say(f"The lab {lab.cluster!r} is removed.{kept}")


def end(lab: Lab) -> None:
    """End and remove the parts that `remains` lists; twice is no error."""
    sweep.clear(lab.place)
    for folder in _folders(lab):
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()


def _folders(lab: Lab) -> list[Path]:
    """The folders that `up` makes, other than those of the sweep and the homes."""
    return [path for path in lab.parts if path.exists()]
