"""`labswarm completion`: the script for a shell to source, as click writes it."""

import click
from click.shell_completion import BashComplete, get_completion_class

PROGRAM = "labswarm"
SHELLS = ("bash", "zsh", "fish")


class _Bash(BashComplete):
    @staticmethod
    def _check_version() -> None:
        """Not of the shell that happens to be here: the script may be for another."""


def script(command: click.Command, shell: str) -> str:
    """The script that completes `labswarm` in this shell, one of SHELLS."""
    kind = _Bash if shell == "bash" else get_completion_class(shell)
    if kind is None:  # click has all of SHELLS
        raise LookupError(shell)
    return kind(command, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source()
