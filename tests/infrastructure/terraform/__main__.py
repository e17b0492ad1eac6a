"""Run terraform offline on a folder.

python -m tests.infrastructure.terraform plan terraform-base/stacks/chef
python -m tests.infrastructure.terraform apply terraform-base/stacks/chef --var name=db
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.infrastructure.terraform import tables
from tests.infrastructure.terraform.workspace import (
    BASE,
    EXAMPLE,
    Terraform,
    TerraformFailed,
    missing,
    provider,
)


def main() -> int:
    """The command line; its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.infrastructure.terraform", description=__doc__.splitlines()[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, does in (
        ("validate", "references, names and types"),
        ("plan", "what would be made; with --json, the whole plan"),
        ("apply", "make it up, show the outputs, and destroy it again"),
        ("test", "the folder's tests/*.tftest.hcl"),
    ):
        command = commands.add_parser(name, help=does, description=does)
        command.add_argument(
            "folder", type=Path, help=f"its {EXAMPLE} gives the values, if there is one"
        )
        command.add_argument("--json", action="store_true", help="write JSON")
        command.add_argument(
            "--var", action="append", default=[], metavar="NAME=VALUE", help="a value, or JSON"
        )
        command.add_argument("--var-file", type=Path, help="values that come after the example's")
    tabled = commands.add_parser("tables", help="write the READMEs' tables of inputs and outputs")
    tabled.add_argument("folders", type=Path, nargs="*", help="all of terraform-base without")
    asked = parser.parse_args()
    if asked.command == "tables":
        for written in tables.write(asked.folders or tables.folders(BASE)):
            print(written)
        return 0
    if reason := missing():
        print(reason, file=sys.stderr)
        return 2
    root = BASE if asked.folder.resolve().is_relative_to(BASE) else asked.folder
    try:
        with tempfile.TemporaryDirectory() as scratch, provider(root) as attach:
            print(_done(Terraform(asked.folder, attach, Path(scratch), root), asked))
    except TerraformFailed as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


def _done(terraform: Terraform, asked: argparse.Namespace) -> str:
    variables = {
        name: _value(text) for name, _, text in (word.partition("=") for word in asked.var)
    }
    if asked.var_file:
        terraform.use(asked.var_file)
    terraform.init()
    if asked.command == "validate":
        terraform.validate()
        return "valid"
    if asked.command == "test":
        return terraform.test()
    if asked.command == "plan":
        plan = terraform.plan(**variables)
        return (
            json.dumps(plan, indent=2) if asked.json else terraform.run("show", "-no-color", "plan")
        )
    outputs = terraform.apply(**variables)
    state = terraform.state()
    destroyed = terraform.destroy(**variables)
    return json.dumps(
        state if asked.json else {"outputs": outputs, "destroy": destroyed[-400:]}, indent=2
    )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


if __name__ == "__main__":
    sys.exit(main())
