"""The command `labswarm`: an operator's commands and those of plug-ins."""

import json
from typing import TYPE_CHECKING, Any

import click

from labswarm_operator.commands import Choice, PluggedCommands
from labswarm_operator.completion import SHELLS, script
from labswarm_operator.options import json_option, on_account
from labswarm_operator.progress import say
from labswarm_operator.refusing import end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labswarm_operator.account import Clients


@click.group(cls=PluggedCommands)
@click.version_option(package_name="labswarm")
def labswarm() -> None:
    """Run an autoscaling JupyterHub on AWS without Kubernetes."""


@labswarm.command()
@click.option("--cluster", metavar="NAME", help="Check this cluster only. [default: all]")
@click.option("--dry-run", is_flag=True, help="Print what a pass would do, and change nothing.")
@json_option("a JSON array with one object per cluster")
@on_account
def reconcile(clients: "Clients", cluster: str | None, dry_run: bool, as_json: bool) -> None:
    """Compare AWS, Swarm and Chef now, and remove orphans."""
    from labswarm_operator.reconcile import print_passes, run_pass, succeeded

    passes = run_pass(clients, cluster, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(passes))
    else:
        print_passes(passes, dry_run=dry_run)
    if not succeeded(passes):
        raise SystemExit(1)


@labswarm.command()
@click.option(
    "--queue",
    default="labswarm-undelivered",
    show_default=True,
    metavar="NAME",
    help="Read this dead-letter queue.",
)
@click.option(
    "--dry-run", is_flag=True, help="Print which events would be sent or dropped, and keep all."
)
@json_option("a JSON array with one object per event")
@on_account
def redrive(clients: "Clients", queue: str, dry_run: bool, as_json: bool) -> None:
    """Send the events of a dead-letter queue again.

    Send the oldest first. Drop events that are too old to be of use.
    """
    import time

    from labswarm_operator.redrive import as_json as json_of
    from labswarm_operator.redrive import lines
    from labswarm_operator.redrive import redrive as send_again

    outcomes = send_again(clients, queue, time.time(), dry_run=dry_run)
    if as_json:
        click.echo(json_of(outcomes))
    else:
        for line in lines(outcomes, dry_run=dry_run):
            click.echo(line)
    if any(outcome.done == "kept" for outcome in outcomes):
        raise SystemExit(1)


@labswarm.command()
@click.argument("ami", metavar="AMI")
@click.option("--cluster", metavar="NAME", help="Roll this cluster. Required if there are several.")
@click.option("--dry-run", is_flag=True, help="Print the steps, and change nothing.")
@json_option("progress as JSON, one object per line")
@on_account
def roll(clients: "Clients", ami: str, cluster: str | None, dry_run: bool, as_json: bool) -> None:
    """Replace a cluster's workers by workers of the image AMI.

    Keep every student's server: old workers leave when they are empty.

    Press Ctrl-C to stop watching. Once the first new worker is open, the app continues by itself.
    """
    from labswarm_operator.roll import Roll, interruptible

    def report(progress: "Mapping[str, Any]") -> None:
        if as_json:
            click.echo(json.dumps(progress))
        else:
            say(progress["text"])

    with interruptible():
        Roll.of(clients, ami, cluster, report).run(dry_run=dry_run)


@labswarm.command()
@click.option("--cluster", metavar="NAME", required=True, help="Check this cluster.")
@json_option("one JSON object")
@on_account
def doctor(clients: "Clients", cluster: str, as_json: bool) -> None:
    """Check quotas, agents, parameters and alarms before a class.

    Print the size of the class that fits, and a remedy for each finding. Exit with 1 if there is a
    finding.
    """
    from labswarm_operator.doctor import report
    from labswarm_operator.doctor.diagnose import diagnose
    from labswarm_operator.doctor.fit import fit
    from labswarm_operator.doctor.reading import read_facts

    facts = read_facts(clients, cluster)
    fits = fit(facts)
    findings = diagnose(facts, fits)
    if as_json:
        click.echo(report.as_json(facts, fits, findings))
    else:
        for line in report.lines(facts, fits, findings):
            click.echo(line)
    if findings:
        raise SystemExit(1)


@labswarm.command()
@click.argument("shell", metavar="bash|zsh|fish", type=Choice("shell", SHELLS))
def completion(shell: str) -> None:
    """Print a script that lets the Tab key complete `labswarm`."""
    click.echo(script(labswarm, shell))


def main() -> None:
    """Run the command; a wrong option or argument is one line and exit code 2."""
    try:
        code = labswarm(standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "labswarm"
        end(f"{command}: {error.format_message()} Run `{command} --help` for the usage.", 2)
    except click.Abort:
        end("labswarm: interrupted", 130)
    raise SystemExit(code if isinstance(code, int) else 0)
