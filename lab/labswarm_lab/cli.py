"""The command `labswarm lab`: the whole system on this machine."""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from labswarm_lab.fault import fault
from labswarm_lab.naming import complete_node, complete_worker
from labswarm_operator.commands import Choice, Commands
from labswarm_operator.options import json_option
from labswarm_operator.refusing import refusing

AUTO = "auto"
LATENCIES = ("fast", "aws")
"""The names of labswarm_emulator.latency.PROFILES, which would take a while to import."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Commands)
@click.option(
    "--name",
    default="lab",
    envvar="LABSWARM_LAB",
    show_default=True,
    help="Use the lab of this name. Several can be up at once.",
)
@click.pass_context
def lab(context: click.Context, name: str) -> None:
    """Run the whole system on this machine."""
    from labswarm_lab.lab import Lab

    with refusing():
        context.obj = Lab.named(name)


def on_lab(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its lab first; turn its Refusal or Failure into one line and an exit code."""

    @wraps(command)
    def refused(*given: Any, **options: Any) -> None:
        with refusing():
            command(*given, **options)

    return click.pass_obj(refused)


@lab.command()
@click.option(
    "--workers",
    type=click.IntRange(0, 20),
    default=1,
    show_default=True,
    help="Start this many workers, and never have fewer.",
)
@click.option("--simulated", is_flag=True, help="Simulate the nodes, even if real ones can run.")
@click.option(
    "--idle-timeout",
    type=click.IntRange(10),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Stop a student's server after so long without activity.",
)
@click.option(
    "--plan",
    type=FILE,
    help="Make the groups of this Terraform plan of a cluster stack (`terraform show -json`).",
)
@click.option(
    "--latency",
    type=Choice("latency", LATENCIES),
    default=LATENCIES[0],
    show_default=True,
    help="Delay events, commands, boots and cold starts as AWS does, or not at all.",
)
@on_lab
def up(
    lab: Any, workers: int, simulated: bool, idle_timeout: int, plan: Path | None, latency: str
) -> None:
    """Start the lab."""
    from labswarm_lab.exclusive import exclusively
    from labswarm_lab.plan import DEFAULT
    from labswarm_lab.up import bring_up

    with exclusively(lab):
        bring_up(
            lab,
            workers=workers,
            simulated=simulated,
            idle_timeout_s=idle_timeout,
            plan=plan or DEFAULT,
            latency=latency,
        )


@lab.command()
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
@click.option("--homes", is_flag=True, help="Remove the students' homes too.")
@on_lab
def down(lab: Any, dry_run: bool, homes: bool) -> None:
    """End the lab and remove it, also after a crash. Keep the homes."""
    from labswarm_lab.down import bring_down, print_remains
    from labswarm_lab.exclusive import exclusively

    if dry_run:
        print_remains(lab, homes=homes)
    else:
        with exclusively(lab):
            bring_down(lab, homes=homes)


@lab.command()
@json_option("one JSON object")
@on_lab
def status(lab: Any, as_json: bool) -> None:
    """Show each worker as AWS, Swarm and Chef know it, and alarms."""
    from labswarm_lab.observe import observe, print_status

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
@click.option("--no-wait", is_flag=True, help="Return at once.")
@on_lab
def scale(lab: Any, workers: int | str, no_wait: bool) -> None:
    """Keep N workers, or let the class decide with `auto`.

    Remove the workers with the fewest students first. Move their students after 15 s.

    Give `auto` to let the cluster follow its class again, as it does after `up`.
    """
    from labswarm_lab.scale import scale_by_itself, scale_to

    if isinstance(workers, str):
        scale_by_itself(lab)
    else:
        scale_to(lab, workers, wait=not no_wait)


@lab.command()
@click.argument("file", type=FILE)
@on_lab
def timetable(lab: Any, file: Path) -> None:
    """Book the labs of an iCalendar file.

    Write the number of seats into an event's description: `seats: 12`.
    """
    from labswarm_lab.timetable import book

    book(lab, file)


@lab.command()
@click.argument("node", shell_complete=complete_worker)
@click.option(
    "--rebalance",
    is_flag=True,
    help="Send only a rebalance recommendation; students stay where they are.",
)
@on_lab
def interrupt(lab: Any, node: str, rebalance: bool) -> None:
    """Send a spot warning for NODE, and end it 120 s later."""
    from labswarm_lab.interrupt import interrupt_node

    interrupt_node(lab, node, rebalance=rebalance)


@lab.command()
@click.argument("node", shell_complete=complete_worker)
@on_lab
def kill(lab: Any, node: str) -> None:
    """Kill NODE immediately, without a spot warning."""
    from labswarm_lab.interrupt import kill_node

    kill_node(lab, node)


@lab.command("class")
@click.argument("students", type=click.IntRange(1, 500))
@click.option("--profile", metavar="NAME", help="Choose this profile at the hub.")
@json_option("one JSON object")
@on_lab
def class_(lab: Any, students: int, profile: str | None, as_json: bool) -> None:
    """Let STUDENTS students log in, run a cell and save a file."""
    from labswarm_lab.attend import attend

    if not attend(lab, students, profile=profile, as_json=as_json):
        raise SystemExit(1)


@lab.command()
@click.option("--svg", type=NEW_FILE, help="Draw one view to this file, and return.")
@on_lab
def watch(lab: Any, svg: Path | None) -> None:
    """Watch nodes, students and executions. Press q to leave."""
    from labswarm_lab.watch import look, watch
    from labswarm_lab.watch_svg import draw_to

    if svg is None:
        watch(lab)
    else:
        draw_to(svg, look(lab))


@lab.command()
@click.option(
    "--since",
    metavar="TIME",
    help="Begin at this time: 90s, 10m or 2h ago, at 14:05, or 2026-01-31T14:05.",
)
@json_option("one JSON object")
@click.option("--svg", type=NEW_FILE, help="Draw it to this file too.")
@on_lab
def timeline(lab: Any, since: str | None, as_json: bool, svg: Path | None) -> None:
    """List events in order, with each instance's phases."""
    from labswarm_lab.timeline import show_timeline

    show_timeline(lab, since=since, svg=svg, as_json=as_json)


@lab.command()
@click.argument("file", type=FILE)
@click.option(
    "--instance",
    metavar="NODE",
    shell_complete=complete_worker,
    help="Send it for this worker. [default: the one with the fewest students]",
)
@json_option("one JSON object")
@on_lab
def replay(lab: Any, file: Path, instance: str | None, as_json: bool) -> None:
    """Send a sample event (events/*.json) for this lab, dated now."""
    from labswarm_lab.replay import replay as replay_event

    replay_event(lab, file, instance=instance, as_json=as_json)


@lab.command(context_settings={"ignore_unknown_options": True})
@click.argument("node", shell_complete=complete_node)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@on_lab
def shell(lab: Any, node: str, command: tuple[str, ...]) -> None:
    """Open a shell on NODE or `hub`, or run COMMAND after `--`."""
    from labswarm_lab.shell import enter

    enter(lab, node, command)


@lab.command()
@click.argument("node", shell_complete=complete_node)
@on_lab
def cut(lab: Any, node: str) -> None:
    """Cut NODE off from the Swarm and from AWS."""
    from labswarm_lab.link import cut_node

    cut_node(lab, node)


@lab.command()
@click.argument("node", shell_complete=complete_node)
@on_lab
def heal(lab: Any, node: str) -> None:
    """Connect NODE again after `cut`."""
    from labswarm_lab.link import heal_node

    heal_node(lab, node)


@lab.group()
def chef() -> None:
    """Stop or start the lab's Chef Server."""


@chef.command("stop")
@on_lab
def stop_chef(lab: Any) -> None:
    """Stop the Chef Server. Keep its data."""
    from labswarm_lab.chef_outage import stop_chef

    stop_chef(lab)


@chef.command("start")
@on_lab
def start_chef(lab: Any) -> None:
    """Start the Chef Server with the data that it had."""
    from labswarm_lab.chef_outage import start_chef

    start_chef(lab)


lab.add_command(fault)


@lab.command()
@click.argument("part", required=False)
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Print this many lines.",
)
@on_lab
def logs(lab: Any, part: str | None, lines: int) -> None:
    """Print the end of a part's log; without PART, list the parts."""
    from labswarm_lab.logs import print_logs

    print_logs(lab, part, lines)
