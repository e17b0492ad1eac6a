"""Stack cluster: its variables are the module's; its workers leave before it is destroyed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

BASE = Path(__file__).resolve().parents[2] / "terraform-base"
SCRIPT = BASE / "modules/workers/empty-group.sh"

# An AWS CLI with one group, whose state is a file: an ended instance waits for its hook one look
# long, and a launching one is in service one look later.
AWS_CLI = """\
import json, pathlib, sys
file = pathlib.Path(__file__).with_name("group.json")
group, words = json.loads(file.read_text()), sys.argv[1:]
instances = group["instances"]
if "update-auto-scaling-group" in words:
    if group["denied"]:
        sys.exit("AccessDenied")
    group["sizes"] = words[-6:]
elif "terminate-instance-in-auto-scaling-group" in words:
    assert "--no-should-decrement-desired-capacity" in words and group["sizes"]
    one = words[words.index("--instance-id") + 1]
    assert instances[one] == "InService"
    instances[one] = "Terminating:Wait"
    group["ended"].append(one)
elif words[-1].startswith("length"):
    print(int(group["exists"]))
else:
    for one, state in list(instances.items()):
        print(one, state, sep="\\t")
        if state == "Pending:Wait":
            instances[one] = "InService"
        elif state == "Terminating:Wait" and not group["stuck"]:
            del instances[one]
file.write_text(json.dumps(group))
"""


def emptied(
    folder: Path, *instances: str, deadline_s: int = 30, **group: bool
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """The script's end, and the group after it; `instances` are its instances' states."""
    (folder / "aws").write_text(f"#!{sys.executable}\n{AWS_CLI}")
    (folder / "aws").chmod(0o755)
    state = {f"i-0000000{number}": state for number, state in enumerate(instances)}
    kept: dict[str, Any] = {
        "exists": True,
        "stuck": False,
        "denied": False,
        "sizes": None,
        "ended": [],
    }
    file = folder / "group.json"
    file.write_text(json.dumps({**kept, **group, "instances": state}))
    done = subprocess.run(
        [SCRIPT, "labswarm-physics-workers", "eu-west-1", str(deadline_s)],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "EMPTY_GROUP_LOOK_S": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, json.loads(file.read_text())


def test_all_workers_leave_through_their_hook_and_none_is_launched(tmp_path: Path) -> None:
    done, group = emptied(tmp_path, "InService", "InService", "Pending:Wait")

    assert done.returncode == 0, done.stderr
    assert group["sizes"] == [
        *("--min-size", "0", "--max-size", "0", "--desired-capacity", "0"),
    ]
    assert sorted(group["ended"]) == ["i-00000000", "i-00000001", "i-00000002"]
    assert "3 instances to go: 2 InService, 1 Pending:Wait" in done.stderr


def test_a_group_that_is_gone_is_empty(tmp_path: Path) -> None:
    done, group = emptied(tmp_path, exists=False)

    assert done.returncode == 0
    assert group["sizes"] is None


def test_the_deadline_ends_it_with_the_remedy(tmp_path: Path) -> None:
    done, _ = emptied(tmp_path, "InService", deadline_s=1, stuck=True)

    assert done.returncode == 1
    assert "labswarm-node-terminate" in done.stderr


def test_a_refusal_of_aws_is_shown(tmp_path: Path) -> None:
    done, group = emptied(tmp_path, "InService", denied=True)

    assert done.returncode == 1
    assert "AccessDenied" in done.stderr
    assert group["ended"] == []


def test_the_stacks_variables_are_the_modules() -> None:
    module, stack = variables(BASE / "modules/cluster"), variables(BASE / "stacks/cluster")

    assert stack.pop("region")
    assert stack == module


def variables(folder: Path) -> dict[str, str]:
    """Each variable's block as it is written, without its validations."""
    text = (folder / "variables.tf").read_text()
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    validation = re.compile(r"\n  validation \{\n.*?^  \}\n", re.MULTILINE | re.DOTALL)
    comment = re.compile(r"^  #.*\n?", re.MULTILINE)
    return {name: comment.sub("", validation.sub("", block)).strip() for name, block in blocks}
