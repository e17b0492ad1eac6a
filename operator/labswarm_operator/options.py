"""Options that several commands have, each with one name and one meaning."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from labswarm import names
from labswarm_operator.refusing import refusing

Command = Callable[..., None]


def json_option(output: str) -> Callable[[Command], Command]:
    """Add `--json`; the command gets it as `as_json`. `output` names the output in its help."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {output}.")


def on_account(command: Command) -> Command:
    """Add the options that choose a lab or an AWS account; the command gets its `clients`.

    A Refusal or Failure of the command becomes one line and its exit code.
    """

    @wraps(command)
    def in_account(name: str, aws: bool, prefix: str, **given: Any) -> None:
        # Before anything is imported that has a name of the app.
        os.environ[names.VARIABLE] = prefix if aws else names.DEFAULT
        # boto3 takes a while to import, and `--help` does without.
        from labswarm_operator import account

        with refusing():
            command(clients=account.clients(name, aws=aws), **given)

    lab = click.option(
        "--name",
        default="lab",
        envvar="LABSWARM_LAB",
        show_default=True,
        help="Use the lab of this name.",
    )
    aws = click.option(
        "--aws", is_flag=True, help="Use the AWS account of the environment, not a lab."
    )
    prefix = click.option(
        "--prefix",
        default=names.DEFAULT,
        envvar=names.VARIABLE,
        show_default=True,
        callback=_checked,
        help="Use the app that was deployed with this prefix, if --aws is given.",
    )
    return lab(aws(prefix(in_account)))


def _checked(_context: click.Context, _option: click.Parameter, prefix: str) -> str:
    if not names.PREFIX.fullmatch(prefix):
        raise click.BadParameter(
            f"{prefix!r} is no prefix. Write 1 to 15 lowercase letters and digits, a letter first."
        )
    return prefix
