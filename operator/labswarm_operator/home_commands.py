"""The commands `labswarm home`: students' files."""

import time
from typing import TYPE_CHECKING

import click

from labswarm_operator import plugins
from labswarm_operator.commands import Commands
from labswarm_operator.hub_commands import cluster_option
from labswarm_operator.options import json_option, on_account
from labswarm_operator.refusal import Refusal

if TYPE_CHECKING:
    from labswarm_operator.account import Clients
    from labswarm_operator.home_restore import Backups


@click.group(cls=Commands)
def home() -> None:
    """Restore students' files."""


@home.command()
@click.argument("student", metavar="STUDENT")
@click.argument("file", metavar="FILE")
@click.option(
    "--from",
    "date",
    metavar="DATE",
    required=True,
    help="Use the newest backup of a date such as 2026-01-31, or before.",
)
@click.option("--dry-run", is_flag=True, help="Print which backup would be used, and restore none.")
@json_option("one JSON object")
@on_account
@cluster_option
@click.pass_context
def restore(
    context: click.Context,
    clients: "Clients",
    cluster: str | None,
    student: str,
    file: str,
    date: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Restore a file or folder of a student.

    Make a new folder for it in the home, `restored-...`, and overwrite nothing.
    """
    from labswarm_operator.home_restore import aws_backups, shown, until
    from labswarm_operator.home_restore import restore as bring_back

    begins = until(date, time.time())
    backups = (
        aws_backups(clients, cluster)
        if context.params["aws"]
        else lab_backups(context.params["name"])
    )
    done = bring_back(backups, student, file, begins, dry_run=dry_run)
    if as_json:
        click.echo(done.as_json())
    elif done.to is None:
        click.echo(
            f"{done.file} of {student} would come from the backup of {shown(done.backup.at)}."
        )
    else:
        click.echo(f"{done.to} of {student} is from the backup of {shown(done.backup.at)}.")


def lab_backups(lab: str) -> "Backups":
    """Return the backups of the lab of this name. Raises Refusal if no lab is installed."""
    found = plugins.load(plugins.BACKUPS, "lab")
    if found is None:
        raise Refusal("No lab is installed. To work on AWS, add --aws.")
    backups: Backups = found(lab)
    return backups
