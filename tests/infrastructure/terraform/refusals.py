"""Which conditions of a folder refuse something in its tests.

A condition is a variable's validation, a precondition, a postcondition or a check's assertion.
Terraform says of none that it was met by `expect_failures`; without that line it says which failed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.infrastructure.terraform.workspace import Terraform, TerraformFailed

RUN = re.compile(r'^run "(\w+)" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"^  expect_failures = \[.*?\]\n", re.MULTILINE | re.DOTALL)
VALIDATION = re.compile(r"This was checked by the validation rule at (\S+?:\d+),")


def conditions(folder: Path) -> set[str]:
    """The folder's conditions as terraform calls them: file and line.

    Of a validation it is the line on which the block begins, of the others that of `condition`.
    """
    found = set()
    for file in folder.glob("*.tf"):
        within = ""
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if block := re.fullmatch(r" +(validation|precondition|postcondition|assert) \{", line):
                within = block[1]
            if within and line.strip().startswith(
                "validation" if within == "validation" else "condition"
            ):
                found.add(f"{file.name}:{number}")
                within = ""
    return found


def refusing(terraform: Terraform) -> set[str]:
    """The conditions that fail in the folder's tests. Its copy has other tests after that.

    Each run that expects a failure is put into a file of its own, for terraform passes over what
    follows a failure.
    """
    for file in list(terraform.folder.rglob("*.tftest.hcl")):
        text = file.read_text(encoding="utf-8")
        file.unlink()
        for run in RUN.finditer(text):
            if EXPECTED.search(run[0]):
                alone = RUN.sub("", text) + EXPECTED.sub("", run[0])
                file.with_name(f"{run[1]}.tftest.hcl").write_text(alone, encoding="utf-8")
    try:
        said = terraform.run("test", "-json")
    except TerraformFailed as failed:
        said = str(failed)
    return set(_failed(said))


def _failed(said: str) -> Iterator[str]:
    for line in said.splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("type") != "diagnostic":
            continue
        diagnostic = event["diagnostic"]
        if validation := VALIDATION.search(diagnostic["detail"]):
            yield validation[1]
        elif diagnostic["summary"].endswith(("condition failed", "assertion failed")):
            yield f"{diagnostic['range']['filename']}:{diagnostic['range']['start']['line']}"
