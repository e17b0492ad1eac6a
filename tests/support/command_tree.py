"""Every command of `labswarm`, with the words that call it."""

from collections.abc import Iterator

import click

from labswarm_operator.cli import labswarm

Path = tuple[str, ...]


def commands(
    path: Path = ("labswarm",), command: click.Command = labswarm
) -> Iterator[tuple[Path, click.Command]]:
    """Yield each command and group, those inside a group after it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, f"{path} lists {name}, and has no such command"
            yield from commands((*path, name), inner)


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that a line of words calls, and its own arguments.

    Raises AssertionError for an unknown command. Options of groups have a value each.
    """
    known = dict(commands())
    path: Path = (words[0],)
    rest = words[1:]
    while isinstance(known[path], click.Group) and rest:
        if rest[0].startswith("-"):
            rest = rest[2:]
            continue
        path, rest = (*path, rest[0]), rest[1:]
        assert path in known, f"there is no command {' '.join(path)}"
    return known[path], rest
