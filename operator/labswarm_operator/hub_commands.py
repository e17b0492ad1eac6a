"""The commands `labswarm hub`: the hub's document, from the first look to undo."""

import json
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labswarm_operator.commands import Commands
from labswarm_operator.options import json_option, on_account
from labswarm_operator.progress import say
from labswarm_operator.refusal import Refusal
from labswarm_operator.refusing import end, refusing

if TYPE_CHECKING:
    from labswarm_operator.account import Clients
    from labswarm_operator.hub_document import Change, HubDocument

PARTS = ("hub", "proxy", "spawner", "document")
FILE = click.Path(allow_dash=True, path_type=Path)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Print the lines that would change, and write nothing."
)
cluster_option = click.option(
    "--cluster", metavar="NAME", help="Use this hub. Required if there are several."
)
wait_option = click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Return only when the hub runs it."
)


def on_hub(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose an account and a hub; the command gets its `hub`."""

    @wraps(command)
    def of_hub(clients: "Clients", cluster: str | None, **given: Any) -> None:
        from labswarm_operator.hub_document import HubDocument

        with shown_problems():
            command(hub=HubDocument.of(clients, cluster), **given)

    return on_account(cluster_option(of_hub))


class shown_problems:  # noqa: N801  # a context manager, used as a function
    """Print each problem of a wrong document in a line of its own, and exit with 2."""

    def __init__(self, source: str = "") -> None:
        self._source = f"{source}: " if source else ""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        from labswarm.document.parse import BadDocument

        if isinstance(error, BadDocument):
            for problem in error.problems:
                say(f"{self._source}{problem}", style="red")
            count = len(error.problems)
            end(f"labswarm: {count} problem{'s' * (count > 1)}; nothing was changed.", 2)


@click.group(cls=Commands)
def hub() -> None:
    """Read and change a hub's document.

    Print, set and undo its settings: one YAML text with a history.
    """


@hub.command()
@click.option(
    "--version", "number", type=click.IntRange(0), help="Show version N. [default: newest]"
)
@json_option("one JSON object, with the state of the hub")
@on_hub
def show(hub: "HubDocument", number: int | None, as_json: bool) -> None:
    """Print the document.

    Report whether the hub runs it.
    """
    from labswarm_operator.hub_document import summary, with_header

    version, applied = hub.read(number), hub.applied()
    if as_json:
        state = {"applied": applied.version, "problem": applied.problem}
        click.echo(json.dumps({**summary(version), "text": version.text, **state}))
        return
    click.echo(with_header(hub.cluster, version), nl=False)
    if number is None:
        say(_state(version.number, applied.version, applied.tried, applied.problem))


@hub.command(name="set")
@click.argument("path", metavar="PATH")
@click.argument("value", metavar="VALUE")
@dry_run_option
@wait_option
@on_hub
def set_value(hub: "HubDocument", path: str, value: str, dry_run: bool, wait: bool) -> None:
    """Set one value.

    Write a path and a value such as `cull.timeout 7200`, and lists as [a, b]. Keep comments and all
    other lines.
    """
    from labswarm.document.edit import value_of, with_value

    given = value_of(value)
    made = hub.changed(lambda text: with_value(text, path, given), f"set {path}")
    _finish(hub, made, dry_run=dry_run, wait=wait)


@hub.command()
@click.argument("path", metavar="PATH")
@dry_run_option
@wait_option
@on_hub
def unset(hub: "HubDocument", path: str, dry_run: bool, wait: bool) -> None:
    """Remove one value.

    Let the cluster's own value count again.
    """
    from labswarm.document.edit import without_value

    made = hub.changed(lambda text: without_value(text, path), f"unset {path}")
    _finish(hub, made, dry_run=dry_run, wait=wait)


@hub.command()
@wait_option
@on_hub
def edit(hub: "HubDocument", wait: bool) -> None:
    """Open the document in $EDITOR.

    Write it when the editor is closed. Keep a wrong text in a file, so that no work is lost.
    """
    from labswarm.document.parse import BadDocument
    from labswarm_operator.hub_document import with_header
    from labswarm_operator.refusal import Failure

    text = click.edit(with_header(hub.cluster, hub.read()), extension=".yaml", require_save=True)
    if text is None:
        say("Nothing was changed.")
        return
    try:
        _finish(hub, hub.replaced(text, "edit"), dry_run=False, wait=wait)
    except (BadDocument, Failure):
        kept = Path(f"{hub.cluster}-document-{int(time.time())}.yaml")
        kept.write_text(text)
        say(f"Your text is in {kept}. Correct it, and run `labswarm hub apply {kept}`.")
        raise


@hub.command()
@click.argument("file", metavar="FILE", type=FILE)
@json_option("a JSON array with one object per problem")
def validate(file: Path, as_json: bool) -> None:
    """Check FILE without a hub.

    List each problem with its line and remedy.
    """
    from labswarm.document.parse import BadDocument, parse

    with refusing(), shown_problems(str(file)):
        text = _text_of(file)
        try:
            parse(text)
        except BadDocument as bad:
            if not as_json:
                raise
            click.echo(json.dumps([vars(problem) for problem in bad.problems]))
            raise SystemExit(2) from bad
        click.echo("[]" if as_json else f"{file}: no problems")


@hub.command()
@click.argument("file", metavar="[FILE]", type=FILE, required=False)
@click.option("--from", "old", type=click.IntRange(0), help="Compare from version N.")
@click.option("--to", "new", type=click.IntRange(0), help="Compare to version N. [default: newest]")
@on_hub
def diff(hub: "HubDocument", file: Path | None, old: int | None, new: int | None) -> None:
    """Compare two versions, or FILE.

    Print the lines that differ: from the newest version to FILE, or else from the one before to the
    newest.
    """
    from labswarm_operator.hub_document import Change

    if file is not None:
        lines = hub.replaced(_text_of(file), "diff").lines()
    else:
        to = hub.read(new)
        lines = Change(hub.read(max(0, to.number - 1) if old is None else old), to).lines()
    for line in lines:
        click.echo(line)


@hub.command()
@click.argument("file", metavar="FILE", type=FILE)
@dry_run_option
@wait_option
@on_hub
def apply(hub: "HubDocument", file: Path, dry_run: bool, wait: bool) -> None:
    """Write FILE as the document.

    Refuse it if somebody wrote since `labswarm hub show` printed it, and show their change.
    """
    with shown_problems(str(file)):
        made = hub.replaced(_text_of(file), f"apply {file.name}")
    _finish(hub, made, dry_run=dry_run, wait=wait)


@hub.command()
@click.option("-n", "most", default=20, show_default=True, help="List N versions at most.")
@json_option("a JSON array with one object per version")
@on_hub
def history(hub: "HubDocument", most: int, as_json: bool) -> None:
    """List the versions, the newest first.

    Print date, author and reason of each.
    """
    from labswarm_operator.hub_document import summary

    versions = hub.history(most)
    if as_json:
        click.echo(json.dumps([summary(version) for version in versions]))
        return
    runs = hub.applied().version
    for version in versions:
        at = _date(version.at)
        mark = "  (the hub runs this one)" if version.number == runs else ""
        click.echo(f"{version.number:>4}  {at}  {version.by}: {version.note}{mark}")


@hub.command()
@click.option("--to", type=click.IntRange(0), help="Return to version N. [default: one back]")
@dry_run_option
@wait_option
@on_hub
def undo(hub: "HubDocument", to: int | None, dry_run: bool, wait: bool) -> None:
    """Return to an earlier version.

    Write it again, as the newest.
    """
    _finish(hub, hub.undone(to), dry_run=dry_run, wait=wait)


@hub.command()
@wait_option
@on_hub
def restart(hub: "HubDocument", wait: bool) -> None:
    """Start JupyterHub again.

    Keep students' servers running.
    """
    version = hub.restart()
    if wait:
        hub.await_applied(version)


@hub.command()
@click.argument("part", type=click.Choice(PARTS), default="hub")
@click.option("--since", default="15m", show_default=True, help="Begin at an age or a time.")
@click.option("--follow", "-f", is_flag=True, help="Print new lines until you press Ctrl-C.")
@json_option("one JSON object per line")
@on_account
@cluster_option
def logs(
    clients: "Clients", cluster: str | None, part: str, since: str, follow: bool, as_json: bool
) -> None:
    """Print a part's log.

    Choose hub (the default), proxy, spawner (the hub's lines about students' servers) or document
    (the service that applies the document).
    """
    from labswarm_operator.hub_document import chosen_hub
    from labswarm_operator.hub_logs import HubLogs
    from labswarm_operator.moments import moment

    begins = moment(since, time.time())
    logged = HubLogs(clients, chosen_hub(clients, cluster))
    for line in logged.lines(part, begins, follow=follow):
        click.echo(json.dumps(vars(line)) if as_json else line.text)


@hub.group()
def admins() -> None:
    """List, add or remove the hub's admins."""


@admins.command(name="list")
@json_option("a JSON array of names")
@on_hub
def list_admins(hub: "HubDocument", as_json: bool) -> None:
    """List the admins that the document names."""
    from labswarm.document.edit import admins_of

    names = admins_of(hub.read().text)
    click.echo(json.dumps(names) if as_json else "\n".join(names), nl=bool(as_json or names))


@admins.command()
@click.argument("user", metavar="USER")
@dry_run_option
@wait_option
@on_hub
def add(hub: "HubDocument", user: str, dry_run: bool, wait: bool) -> None:
    """Add USER to the admins.

    Change nothing if USER is one.
    """
    from labswarm.document.edit import with_admin

    made = hub.changed(lambda text: with_admin(text, user), f"add the admin {user}")
    _finish(hub, made, dry_run=dry_run, wait=wait)


@admins.command()
@click.argument("user", metavar="USER")
@dry_run_option
@wait_option
@on_hub
def remove(hub: "HubDocument", user: str, dry_run: bool, wait: bool) -> None:
    """Remove USER from the admins.

    Let the hub take the rights away when it starts again.
    """
    from labswarm.document.edit import without_admin

    made = hub.changed(lambda text: without_admin(text, user), f"remove the admin {user}")
    _finish(hub, made, dry_run=dry_run, wait=wait)


def _finish(hub: "HubDocument", change: "Change", *, dry_run: bool, wait: bool) -> None:
    """Show a change, write it unless it is empty, and wait for the hub."""
    if change.empty:
        say("The document is so already. Nothing was written.")
        return
    for line in change.lines():
        click.echo(line)
    if dry_run:
        return
    version = hub.write(change)
    if wait:
        hub.await_applied(version)
    else:
        say(f"Version {version.number} is written. The hub runs it within a minute.")


def _date(at: int) -> str:
    """Return a version's date. Terraform, which lays the first one, knows no time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else " " * 16


def _state(newest: int, applied: int, tried: int, problem: str) -> str:
    if newest == 0:
        return "There is no document yet. Every setting is the cluster's own."
    if newest == applied:
        return f"The hub runs version {newest}."
    if tried >= newest:
        return f"The hub runs version {applied} and not {newest}: {problem}"
    return f"The hub still runs version {applied}. It has a minute to apply version {newest}."


def _text_of(file: Path) -> str:
    try:
        return click.get_text_stream("stdin").read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"FILE: {file} cannot be read: {error}.") from error
