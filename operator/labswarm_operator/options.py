"""Options that several commands have, each with one name and one meaning."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

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
    def in_account(name: str, aws: bool, **given: Any) -> None:
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
    return lab(aws(in_account))
