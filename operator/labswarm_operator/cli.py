"""The command `labswarm`: an operator's commands and those of plug-ins."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labswarm_operator.commands import Choice, PluggedCommands
from labswarm_operator.completion import SHELLS, script
from labswarm_operator.home_commands import home
from labswarm_operator.hub_commands import hub
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


labswarm.add_command(home)
labswarm.add_command(hub)


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
    metavar="NAME",
    help="Read this dead-letter queue. [default: the app's, labswarm-undelivered]",
)
@click.option(
    "--dry-run", is_flag=True, help="Print which events would be sent or dropped, and keep all."
)
@json_option("a JSON array with one object per event")
@on_account
def redrive(clients: "Clients", queue: str | None, dry_run: bool, as_json: bool) -> None:
    """Send the events of a dead-letter queue again.

    Send the oldest first. Drop events that are too old to be of use.
    """
    import time

    from labswarm_operator.redrive import QUEUE, lines
    from labswarm_operator.redrive import as_json as json_of
    from labswarm_operator.redrive import redrive as send_again

    outcomes = send_again(clients, queue or QUEUE, time.time(), dry_run=dry_run)
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
    from labswarm.readiness.account_rules import diagnose
    from labswarm.readiness.fit import fit
    from labswarm_operator import doctor_report as report
    from labswarm_operator.readiness import read_account_facts

    facts = read_account_facts(clients, cluster)
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
@click.option("--cluster", metavar="NAME", required=True, help="Check this cluster.")
@json_option("one JSON object")
@on_account
def ready(clients: "Clients", cluster: str, as_json: bool) -> None:
    """Check whether a cluster is ready for its next labs.

    Run the checks of doctor. Check that the labs of the next 48 hours fit, and the image, homes,
    hub, Chef Server, spot capacity and timetable. Exit with 1 if there is a finding.
    """
    import time

    from labswarm.readiness import report
    from labswarm_operator.readiness import check

    checked = check(clients, cluster, time.time())
    if as_json:
        click.echo(report.as_json(cluster, checked.facts, checked.findings))
    else:
        for line in report.lines(cluster, checked.facts, checked.findings):
            click.echo(line)
    if checked.findings:
        raise SystemExit(1)


OUT = click.Path(dir_okay=False, path_type=Path)
IN = click.Path(path_type=Path)


@labswarm.command()
@click.option("--cluster", metavar="NAME", help="Use this cluster, its timetable and its limits.")
@click.option("--students", type=click.IntRange(1, 99_999), help="Let N students come to a lab.")
@click.option("--at", metavar="TIME", help="Start their lab at TIME, like 2026-12-08T14:00.")
@click.option(
    "--lasts",
    default="2h",
    show_default=True,
    metavar="DURATION",
    help="Let their lab last this long, like 90m.",
)
@click.option("--seats", type=click.IntRange(1, 99_999), help="Book N seats. [default: all]")
@click.option("--unbooked", is_flag=True, help="Let the students come without a booking.")
@click.option("--timetable", metavar="FILE|URL", help="Read the labs from this calendar feed.")
@click.option(
    "--arrive",
    default="10m",
    show_default=True,
    metavar="DURATION",
    help="Let the students arrive within this time.",
)
@click.option("--arrivals", type=IN, help="Let the students arrive as in this recording.")
@click.option("--replay", type=IN, help="Simulate a class again, from a log or `history`.")
@click.option(
    "--idle",
    default="60m",
    show_default=True,
    metavar="DURATION",
    help="Stop servers after this time without work.",
)
@click.option(
    "--losses",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Lose this share of the spot nodes per hour, in percent.",
)
@click.option("--type", "instance_type", metavar="TYPE", help="Use workers of this EC2 type.")
@click.option("--node-seats", type=click.IntRange(1, 1000), help="Give a node N seats.")
@click.option("--vcpus", type=click.IntRange(1, 1000), help="Give a node N vCPUs. [default: 2]")
@click.option("--max-nodes", type=click.IntRange(1, 9999), help="Use N nodes at most.")
@click.option("--headroom", type=click.IntRange(0, 9999), help="Keep N seats free.")
@click.option("--node-start", metavar="DURATION", help="Let 95 of 100 nodes open within this time.")
@click.option("--limit", metavar="NAME=N", multiple=True, help="Set a limit, like spot-vcpus=64.")
@click.option("--region", metavar="NAME", help="Use the prices of this region.")
@click.option("--seed", default=1, show_default=True, help="Draw the random times from this seed.")
@click.option("--svg", type=OUT, help="Draw the answer as SVG.")
@click.option("--png", type=OUT, help="Draw the answer as PNG (extra 'png').")
@click.option("--html", type=OUT, help="Write the answer as a page.")
@json_option("one JSON object")
@on_account
def plan(
    clients: "Clients",
    as_json: bool,
    svg: Path | None,
    png: Path | None,
    html: Path | None,
    **given: Any,
) -> None:
    """Answer whether labs fit, from when and at which cost.

    Simulate the cluster with the app's own lab hours. Choose a cluster, or give --node-seats and
    --max-nodes. Exit with 1 if a lab does not fit or has to wait.
    """
    from labswarm_operator.planning import command
    from labswarm_operator.planning.text import lines

    answer, problems = command.answered(clients, command.Options(**given))
    for problem in problems:
        say(f"left out: {problem}")
    for line in command.written(answer, {command.svg: svg, command.png: png, command.html: html}):
        say(line)
    if as_json:
        click.echo(command.as_json(answer))
    else:
        for line in lines(answer):
            click.echo(line)
    if answer.verdict != "yes":
        raise SystemExit(1)


@labswarm.command()
@click.option("--cluster", metavar="NAME", required=True, help="Print the costs of this cluster.")
@click.option("--month", metavar="YYYY-MM", help="Print this month's costs. [default: this month]")
@json_option("one JSON object")
@on_account
def costs(clients: "Clients", cluster: str, month: str | None, as_json: bool) -> None:
    """Print what a month's labs cost: per lab, group and student.

    Multiply the recorded hours of nodes by their prices. Print the forecast of each lab next to it.
    """
    from datetime import UTC, datetime

    from labswarm_operator.costs import report
    from labswarm_operator.costs.reading import read_bill

    today = datetime.now(UTC).date()
    bill = read_bill(clients, cluster, month or f"{today:%Y-%m}", today)
    if as_json:
        click.echo(report.as_json(bill))
    else:
        for line in report.lines(bill):
            click.echo(line)


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
        sentence = error.format_message().rstrip()
        stop = "" if sentence.endswith((".", "?", "!")) else "."
        end(f"{command}: {sentence}{stop} Run `{command} --help` for the usage.", 2)
    except click.Abort:
        end("labswarm: interrupted", 130)
    raise SystemExit(code if isinstance(code, int) else 0)
