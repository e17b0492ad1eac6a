"""Click's groups and choices, with a suggestion for a typing error."""

from typing import Any

import click

from labswarm_operator import plugins
from labswarm_operator.refusal import Refusal
from labswarm_operator.refusing import refusing
from labswarm_operator.suggestions import unknown


class Commands(click.Group):
    """A group that suggests the nearest command for an unknown one."""

    group_class = type
    """Groups inside it are of this class too."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        option = name.startswith("-")
        if not ctx.resilient_parsing and not option and self.get_command(ctx, name) is None:
            ctx.fail(unknown("command", name, self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


class PluggedCommands(Commands):
    """A group with the commands of all plug-ins besides its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *plugins.names(plugins.COMMANDS)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is not None or cmd_name not in plugins.names(plugins.COMMANDS):
            return command
        try:
            loaded: click.Command | None = plugins.load(plugins.COMMANDS, cmd_name)
        except Refusal as refusal:
            return _refused(cmd_name, refusal)
        return loaded


def _refused(name: str, refusal: Refusal) -> click.Command:
    """A command that only says why it cannot run."""

    remedy = f"Install the extra '{name}' to get this command."

    @click.command(
        name,
        help=f"{remedy} {refusal}",
        short_help=remedy,
        context_settings={"ignore_unknown_options": True},
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="")
    def refused(words: tuple[str, ...]) -> None:  # noqa: ARG001  # whatever was asked
        with refusing():
            raise refusal

    return refused


class Choice(click.Choice):
    """One of several words; suggests the nearest for an unknown one."""

    def __init__(self, kind: str, choices: list[str] | tuple[str, ...]) -> None:
        """`kind` is the word for one of the choices in an error, such as "latency"."""
        super().__init__(choices)
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value not in self.choices:
            self.fail(unknown(self._kind, str(value), list(self.choices)), param, ctx)
        return super().convert(value, param, ctx)
