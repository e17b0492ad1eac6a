"""`labswarm lab chef`: stop and start the lab's Chef Server."""

import os
from urllib.parse import urlsplit

import click

from labswarm_lab import ground
from labswarm_lab.chef.server import LabChefServer
from labswarm_lab.chef.twin import Twin
from labswarm_lab.lab import Aws, Lab
from labswarm_operator.progress import step


def chef_at(lab: Lab, address: str, port: int) -> LabChefServer:
    """Return the lab's Chef Server, running or not."""
    return Twin(address, port, lab.chef_dir)


def stop_chef(lab: Lab) -> None:
    """Stop it and keep its data; twice is no error. Raises Refusal without a lab."""
    chef = _chef(lab)
    with step("stopping the Chef Server"):
        chef.stop()
    click.echo(f"{chef.url} is stopped. Start it again: {lab.command('chef start')}.")


def start_chef(lab: Lab) -> None:
    """Start it with its data and its one admin; one that runs is no error.

    Raises Refusal without a lab.
    """
    chef = _chef(lab)
    if chef.pid is None:
        os.environ.update(lab.place.mark)  # `down` finds it by this
        with step("starting the Chef Server"):
            chef.start()
            # It makes an admin of its own at every start, with a key on disk.
            key = ground.chef_public_key(Aws(lab.running.emulator))
            chef.provision_admin(ground.CHEF_ADMIN, key)
    click.echo(f"{chef.url} answers.")


def _chef(lab: Lab) -> LabChefServer:
    where = urlsplit(lab.running.chef)
    return chef_at(lab, str(where.hostname), int(where.port or 443))
