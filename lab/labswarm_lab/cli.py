"""The command `labswarm`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from labswarm_lab.fault import fault
from labswarm_lab.naming import complete_node, complete_worker
from labswarm_operator.completion import SHELLS, script
from labswarm_operator.progress import say
from labswarm_operator.refusing import end, refusing

AUTO = "auto"
COUNT = click.IntRange(min=1)
LATENCIES = ("fast", "aws")
"""The names of emulator.latency.PROFILES, which would take a while to import."""


@click.group()
@click.version_option(package_name="labswarm")
def labswarm() -> None:
    """An autoscaling JupyterHub on AWS without Kubernetes."""


@labswarm.group()
@click.option(
    "--name",
    default="lab",
    envvar="LABSWARM_LAB",
    show_default=True,
    help="Which lab; several can be up at once.",
)
@click.pass_context
def lab(context: click.Context, name: str) -> None:
    """The whole system on this machine."""
    from labswarm_lab.lab import Lab

    with refusing():
        context.obj = Lab.named(name)


@lab.command()
@click.option("--workers", type=click.IntRange(0, 20), default=1, show_default=True)
@click.option("--simulated", is_flag=True, help="Simulated nodes even where real ones can be had.")
@click.option(
    "--idle-timeout",
    type=click.IntRange(10),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="A student's server that does nothing for so long is stopped.",
)
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The plan of a cluster stack, as `terraform show -json` prints it; its groups are laid.",
)
@click.option(
    "--latency",
    type=click.Choice(LATENCIES),
    default=LATENCIES[0],
    show_default=True,
    help="Events, commands, boots and cold functions as fast as they go, or as slow as AWS's.",
)
@click.pass_obj
def up(
    lab: Any, workers: int, simulated: bool, idle_timeout: int, plan: Path | None, latency: str
) -> None:
    """Bring the lab up, with this many workers."""
    from labswarm_lab.exclusive import exclusively
    from labswarm_lab.plan import DEFAULT
    from labswarm_lab.up import bring_up

    with refusing(), exclusively(lab):
        bring_up(
            lab,
            workers=workers,
            simulated=simulated,
            idle_timeout_s=idle_timeout,
            plan=plan or DEFAULT,
            latency=latency,
        )


@lab.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--homes", is_flag=True, help="Remove the students' homes too.")
@click.pass_obj
def down(lab: Any, dry_run: bool, homes: bool) -> None:
    """End the lab and leave nothing behind, also after a crash. Homes stay."""
    from labswarm_lab.down import bring_down, print_remains
    from labswarm_lab.exclusive import exclusively

    with refusing():
        if dry_run:
            print_remains(lab, homes=homes)
        else:
            with exclusively(lab):
                bring_down(lab, homes=homes)


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def status(lab: Any, as_json: bool) -> None:
    """Each worker as AWS, Swarm and Chef know it."""
    from labswarm_lab.observe import observe, print_status

    with refusing():
        seen = observe(lab)
    if as_json:
        click.echo(json.dumps(seen.to_dict()))
    else:
        print_status(seen)


class WorkersOrAuto(click.IntRange):
    """A number of workers, or `auto`."""

    name = "number of workers, or auto"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        return AUTO if value == AUTO else int(super().convert(value, param, ctx))


@lab.command()
@click.argument("workers", metavar="N|auto", type=WorkersOrAuto(0, 20))
@click.option("--no-wait", is_flag=True, help="Ask for it and return.")
@click.pass_obj
def scale(lab: Any, workers: int | str, no_wait: bool) -> None:
    """Hold N workers; the emptiest go, and whoever is on them after 15 s is moved.

    With `auto` the cluster is again as large as its class, as it is after `up`.
    """
    from labswarm_lab.scale import scale_by_itself, scale_to

    with refusing():
        if isinstance(workers, str):
            scale_by_itself(lab)
        else:
            scale_to(lab, workers, wait=not no_wait)


@lab.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def timetable(lab: Any, file: Path) -> None:
    """Book the labs of an iCalendar file: `seats: 12` in an event's description."""
    from labswarm_lab.timetable import book

    with refusing():
        book(lab, file)


@lab.command()
@click.argument("node", shell_complete=complete_worker)
@click.option("--rebalance", is_flag=True, help="Only the recommendation, by which nobody moves.")
@click.pass_obj
def interrupt(lab: Any, node: str, rebalance: bool) -> None:
    """EC2 warns of NODE's interruption, and takes it two minutes later."""
    from labswarm_lab.interrupt import interrupt_node

    with refusing():
        interrupt_node(lab, node, rebalance=rebalance)


@lab.command()
@click.argument("node", shell_complete=complete_worker)
@click.pass_obj
def kill(lab: Any, node: str) -> None:
    """NODE is gone at once, as a machine is that nobody warned of."""
    from labswarm_lab.interrupt import kill_node

    with refusing():
        kill_node(lab, node)


@lab.command("class")
@click.argument("students", type=click.IntRange(1, 500))
@click.option("--profile", metavar="NAME", help="What they choose, where the hub has profiles.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def class_(lab: Any, students: int, profile: str | None, as_json: bool) -> None:
    """This many students log in, start a server, run a cell and save a file."""
    from labswarm_lab.attend import attend

    with refusing():
        all_through = attend(lab, students, profile=profile, as_json=as_json)
    if not all_through:
        raise SystemExit(1)


@lab.command()
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="One look, drawn to this file."
)
@click.pass_obj
def watch(lab: Any, svg: Path | None) -> None:
    """Nodes, students and executions as they come and go; q ends it."""
    from labswarm_lab.watch import look, watch
    from labswarm_lab.watch_svg import draw_to

    with refusing():
        if svg is None:
            watch(lab)
        else:
            draw_to(svg, look(lab))


@lab.command()
@click.option("--since", metavar="TIME", help="90s, 10m or 2h ago, at 14:05, or 2026-01-31T14:05.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw it to this file too."
)
@click.pass_obj
def timeline(lab: Any, since: str | None, as_json: bool, svg: Path | None) -> None:
    """What happened, in order, and what each instance was meanwhile."""
    from labswarm_lab.timeline import show_timeline

    with refusing():
        show_timeline(lab, since=since, svg=svg, as_json=as_json)


@lab.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--instance",
    metavar="NODE",
    shell_complete=complete_worker,
    help="The worker that it is about; by default the one with the fewest students.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def replay(lab: Any, file: Path, instance: str | None, as_json: bool) -> None:
    """Put a sample event (events/*.json) on the bus, of this lab and of now."""
    from labswarm_lab.replay import replay as replay_event

    with refusing():
        replay_event(lab, file, instance=instance, as_json=as_json)


@lab.command(context_settings={"ignore_unknown_options": True})
@click.argument("node", shell_complete=complete_node)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def shell(lab: Any, node: str, command: tuple[str, ...]) -> None:
    """A shell on NODE, or one COMMAND after `--`; `hub` is a node too."""
    from labswarm_lab.shell import enter

    with refusing():
        enter(lab, node, command)


@lab.command()
@click.argument("node", shell_complete=complete_node)
@click.pass_obj
def cut(lab: Any, node: str) -> None:
    """NODE's link is down: neither the Swarm nor AWS hears of it."""
    from labswarm_lab.link import cut_node

    with refusing():
        cut_node(lab, node)


@lab.command()
@click.argument("node", shell_complete=complete_node)
@click.pass_obj
def heal(lab: Any, node: str) -> None:
    """NODE's link is up again."""
    from labswarm_lab.link import heal_node

    with refusing():
        heal_node(lab, node)


@lab.group()
def chef() -> None:
    """The lab's Chef Server, unreachable and back."""


@chef.command("stop")
@click.pass_obj
def stop_chef(lab: Any) -> None:
    """It does not answer any more; what it knows is kept."""
    from labswarm_lab.chef_outage import stop_chef

    with refusing():
        stop_chef(lab)


@chef.command("start")
@click.pass_obj
def start_chef(lab: Any) -> None:
    """It answers again, and knows what it knew."""
    from labswarm_lab.chef_outage import start_chef

    with refusing():
        start_chef(lab)


lab.add_command(fault)


@lab.command()
@click.argument("part", required=False)
@click.option("-n", "--lines", type=COUNT, default=40, show_default=True)
@click.pass_obj
def logs(lab: Any, part: str | None, lines: int) -> None:
    """The last lines that a part of the lab logged; without PART, which parts there are."""
    from labswarm_lab.logs import print_logs

    with refusing():
        print_logs(lab, part, lines)


@labswarm.command()
@click.option("--cluster", metavar="NAME", help="Only this cluster; all of them by default.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done; keeps no marks.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, an object a cluster.")
@click.option("--name", default="lab", envvar="LABSWARM_LAB", show_default=True, help="Which lab.")
@click.option("--aws", is_flag=True, help="Not a lab, but the AWS account of the environment.")
def reconcile(cluster: str | None, dry_run: bool, as_json: bool, name: str, aws: bool) -> None:
    """Make a pass now: find what AWS, Swarm and Chef do not agree on, and clean up orphans."""
    from labswarm_operator.account import clients
    from labswarm_operator.reconcile import make_pass, print_passes, succeeded

    with refusing():
        passes = make_pass(clients(name, aws=aws)("stepfunctions"), cluster, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(passes))
    else:
        print_passes(passes, dry_run=dry_run)
    if not succeeded(passes):
        raise SystemExit(1)


@labswarm.command()
@click.option("--queue", default="labswarm-undelivered", show_default=True, metavar="NAME")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent, and what dropped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, an object a letter.")
@click.option("--name", default="lab", envvar="LABSWARM_LAB", show_default=True, help="Which lab.")
@click.option("--aws", is_flag=True, help="Not a lab, but the AWS account of the environment.")
def redrive(queue: str, dry_run: bool, as_json: bool, name: str, aws: bool) -> None:
    """Send the events of a dead-letter queue again, the oldest first; what is stale is dropped."""
    import time

    from labswarm_operator.account import clients
    from labswarm_operator.redrive import as_json as json_of
    from labswarm_operator.redrive import lines
    from labswarm_operator.redrive import redrive as send_again

    with refusing():
        outcomes = send_again(clients(name, aws=aws), queue, time.time(), dry_run=dry_run)
    if as_json:
        click.echo(json_of(outcomes))
    else:
        for line in lines(outcomes, dry_run=dry_run):
            click.echo(line)
    if any(outcome.done == "kept" for outcome in outcomes):
        raise SystemExit(1)


@labswarm.command()
@click.argument("ami", metavar="AMI")
@click.option("--cluster", metavar="NAME", help="Whose workers; needed where there are several.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON, an object a line.")
@click.option("--name", default="lab", envvar="LABSWARM_LAB", show_default=True, help="Which lab.")
@click.option("--aws", is_flag=True, help="Not a lab, but the AWS account of the environment.")
def roll(ami: str, cluster: str | None, dry_run: bool, as_json: bool, name: str, aws: bool) -> None:
    """Replace a cluster's workers by ones of the image AMI; nobody on them is cut off.

    Once a first worker of it has opened, the app goes on by itself: Ctrl-C ends only the watching.
    """
    from labswarm_operator.account import clients
    from labswarm_operator.roll import Roll, interruptible

    def tell(said: Mapping[str, Any]) -> None:
        if as_json:
            click.echo(json.dumps(said))
        else:
            say(said["text"])

    with refusing(), interruptible():
        Roll.of(clients(name, aws=aws), ami, cluster, tell).run(dry_run=dry_run)


@labswarm.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what SHELL is to source, so that Tab completes commands and nodes."""
    click.echo(script(labswarm, shell))


def main() -> None:
    """Entry point; a wrong option or argument is one line too, and exit code 2."""
    try:
        code = labswarm(standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "labswarm"
        end(f"{command}: {error.format_message()} `{command} --help` says what can be asked.", 2)
    except click.Abort:
        end("labswarm: interrupted", 130)
    raise SystemExit(code if isinstance(code, int) else 0)
