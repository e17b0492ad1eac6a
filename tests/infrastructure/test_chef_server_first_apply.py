"""The first apply of a Chef Server: it waits for the agent, and for a server that answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.infrastructure.conftest import Planned
from tests.infrastructure.terraform.workspace import BASE, resources

MODULE = BASE / "modules" / "chef_server"
INSTANCE = "i-0123456789abcdef0"

# Answers with the next line of a file, and the last one again and again; "denied" is AWS's refusal.
AWS_CLI = """\
import pathlib, sys
assert "describe-instance-information" in sys.argv
assert "Key=InstanceIds,Values=i-0123456789abcdef0" in sys.argv
file = pathlib.Path(__file__).with_name("answers")
answer, *later = file.read_text().split("\\n")
file.write_text("\\n".join(later or [answer]))
sys.exit("AccessDenied") if answer == "denied" else print(answer)
"""


def awaited(
    folder: Path, *answers: str, deadline_s: int = 30
) -> tuple[subprocess.CompletedProcess[str], str]:
    """The script's end, and the answers that it did not ask for any more."""
    (folder / "aws").write_text(f"#!{sys.executable}\n{AWS_CLI}")
    (folder / "aws").chmod(0o755)
    (folder / "answers").write_text("\n".join(answers))
    done = subprocess.run(
        [MODULE / "await-agent.sh", INSTANCE, "eu-west-1", str(deadline_s)],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "AWAIT_AGENT_LOOK_S": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, (folder / "answers").read_text()


def test_an_agent_is_waited_for_until_it_is_online(tmp_path: Path) -> None:
    done, left = awaited(tmp_path, "", "ConnectionLost", "Online", "not asked")

    assert done.returncode == 0, done.stderr
    assert left == "not asked"


def test_an_agent_that_does_not_come_ends_the_apply_with_advice(tmp_path: Path) -> None:
    done, _ = awaited(tmp_path, "", deadline_s=0)

    assert done.returncode == 1
    assert f"does not reach {INSTANCE}" in done.stderr
    assert "way out" in done.stderr


def test_a_refusal_of_aws_is_not_waited_out(tmp_path: Path) -> None:
    done, _ = awaited(tmp_path, "denied")

    assert done.returncode == 1
    assert "AccessDenied" in done.stderr


@pytest.mark.parametrize(("failures", "code", "tries"), [(0, 0, 1), (4, 0, 5), (9, 1, 5)])
def test_a_first_start_that_fails_is_tried_again_five_times_at_most(
    tmp_path: Path, failures: int, code: int, tries: int
) -> None:
    """`systemctl start` ends at the first failure: https://github.com/systemd/systemd/issues/32017"""
    calls = tmp_path / "calls"
    (tmp_path / "systemctl").write_text(
        f'#!/bin/sh\necho "$*" >>{calls}\n[ "$(wc -l <{calls})" -gt {failures} ]\n'
    )
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    for program in ("systemctl", "sleep"):
        (tmp_path / program).chmod(0o755)

    done = subprocess.run(
        [MODULE / "start.sh"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
    )

    assert done.returncode == code
    assert calls.read_text().splitlines() == ["start labswarm-chef-server.service"] * tries


def test_an_association_is_made_after_the_agent_and_starts_the_server_first(plan: Planned) -> None:
    stack = plan(BASE / "stacks" / "chef")
    module = stack["configuration"]["root_module"]["module_calls"]["chef_server"]["module"]
    needs = {each["address"]: each.get("depends_on", []) for each in module["resources"]}
    assert "aws_volume_attachment.data" in needs["terraform_data.agent"]
    assert "terraform_data.agent" in needs["aws_ssm_association.ready"]
    assert "aws_ssm_association.ready" in needs["aws_ssm_association.backup"]
    # With a domain of one's own nothing else orders it.
    assert "aws_ssm_association.ready" in module["outputs"]["chef"]["depends_on"]

    start = (MODULE / "start.sh").read_text(encoding="utf-8").split("\n")
    for each in resources(stack):
        if each["address"].endswith(("aws_ssm_document.ready", "aws_ssm_document.backup")):
            (step,) = json.loads(each["values"]["content"])["mainSteps"]
            assert step["inputs"]["runCommand"][: len(start)] == start
