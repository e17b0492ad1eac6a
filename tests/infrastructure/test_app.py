"""The app's files, checked by the tools of those who defined their formats."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

from labswarm_node.chef_run import RUN_S

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MACHINES = sorted((REPOSITORY / "statemachines").glob("*.asl.yaml"))


def said(*words: str | Path, **environment: str) -> str:
    """Run a checker, which has to be content; returns its output."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_template_is_valid_and_lints_clean() -> None:
    checked = said(
        *(BIN / "sam", "validate", "--lint", "--region", "eu-west-1"), SAM_CLI_TELEMETRY="0"
    )
    assert "is a valid SAM Template" in checked


@pytest.mark.parametrize("machine", MACHINES, ids=lambda path: path.name)
def test_each_machine_is_valid_amazon_states_language(machine: Path, tmp_path: Path) -> None:
    node = REPOSITORY / ".class" / "bin" / "node"
    validator = (
        REPOSITORY / "tests/infrastructure/node_modules/asl-validator/dist/bin/asl-validator.js"
    )
    if not (node.exists() and validator.exists()):
        pytest.skip("asl-validator skipped: it is not installed; `make setup` installs it")
    # As CloudFormation substitutes it; the validator refuses an ARN with a placeholder.
    substituted = tmp_path / machine.name
    substituted.write_text(machine.read_text().replace("${Partition}", "aws"))
    said(node, validator, "--yaml-path", substituted)


def test_the_tools_end_before_their_documents_do() -> None:
    # Else the agent kills them, and their output is lost.
    content = yaml_parse((REPOSITORY / "template.yaml").read_text())["Resources"][
        "NodeBootstrapDocument"
    ]["Properties"]["Content"]
    (step,) = content["mainSteps"]
    assert int(step["inputs"]["timeoutSeconds"]) > RUN_S


def test_there_are_the_machines_that_the_template_names() -> None:
    named = re.findall(
        r"DefinitionUri: (\S+)", (REPOSITORY / "template.yaml").read_text(encoding="utf-8")
    )
    assert sorted(named) == [str(machine.relative_to(REPOSITORY)) for machine in MACHINES]
