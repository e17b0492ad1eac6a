"""`labswarm completion`: the script for a shell to source, as click writes it."""

import click
from click.shell_completion import BashComplete, get_completion_class

PROGRAM = "labswarm"
SHELLS = ("bash", "zsh", "fish")


class _Bash(BashComplete):
    @staticmethod
    def _check_version() -> None:
        """Skip click's check of this machine's bash: the script may be for another one."""


def script(command: click.Command, shell: str) -> str:
    """Return the script that completes `labswarm` in a shell of SHELLS."""
    kind = _Bash if shell == "bash" else get_completion_class(shell)
    if kind is None:  # click has all of SHELLS
        raise LookupError(shell)
    return kind(command, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source()
