"""Ending a lab: whatever is there of it, and whatever has become of what started it."""

import shutil
from pathlib import Path

import click

from labswarm_lab.lab import Lab
from labswarm_lab.nodes import sweep
from labswarm_lab.progress import say, step


def remains(lab: Lab) -> list[str]:
    """Everything that is there of the lab, a line each, but for the students' homes."""
    return [*sweep.leftovers(lab.place), *(f"folder {folder}" for folder in _folders(lab))]


def bring_down(
    lab: Lab, *, dry_run: bool = False, homes: bool = False, quiet: bool = False
) -> None:
    """End the lab and remove all that is there of it; homes stay unless `homes`.

    A lab that is not there is no error: there is nothing left of it.
    """
    found = remains(lab)
    if homes and lab.homes.exists():
        found.append(f"folder {lab.homes}")
    if dry_run:
        for line in found:
            click.echo(line)
        return
    if found and not quiet:
        with step(f"ending the lab {lab.cluster!r}"):
            _end(lab, homes=homes)
    elif found:
        _end(lab, homes=homes)
    if not quiet:
        _tell(lab)


def _end(lab: Lab, *, homes: bool) -> None:
    sweep.clear(lab.place)
    for folder in _folders(lab):
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    if homes and lab.homes.exists():
        shutil.rmtree(lab.homes)
    if lab.place.state_dir.exists() and not any(lab.place.state_dir.iterdir()):
        lab.place.state_dir.rmdir()


def _folders(lab: Lab) -> list[Path]:
    """What is in the lab's folder beside what the sweep knows, and the homes."""
    if not lab.place.state_dir.exists():
        return []
    others = {lab.homes, lab.place.nodes_dir, lab.place.registry_dir}
    return [path for path in sorted(lab.place.state_dir.iterdir()) if path not in others]


def _tell(lab: Lab) -> None:
    kept = f"; the students' homes are kept in {lab.homes}" if lab.homes.exists() else ""
    say(f"Nothing is left of the lab {lab.cluster!r}{kept}.")
