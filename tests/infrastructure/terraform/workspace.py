"""Terraform on a copy of a folder, with the offline provider and nothing of the user's settings."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.infrastructure.terraform.schema import PACKAGE

REPOSITORY = Path(__file__).resolve().parents[3]
BASE = REPOSITORY / "terraform-base"
PYTHON = REPOSITORY / ".infra" / "bin" / "python"
PROGRAMS = Path(__file__).resolve().parent / "programs"
EXAMPLE = "terraform.tfvars.example"


class TerraformFailed(Exception):
    """Terraform refused; the text is returns its output."""


def missing() -> str | None:
    """The missing programs of this tool, as a sentence; None without any."""
    if shutil.which("terraform") is None:
        return "terraform is not installed; see https://developer.hashicorp.com/terraform/install"
    if not (PYTHON.exists() and PACKAGE.exists()):
        return "the provider stand-in is not installed; `make setup` installs it"
    return None


@contextmanager
def provider(root: Path = BASE) -> Iterator[str]:
    """Serve the schema of the resources that the files under `root` name.

    Yields the value of TF_REATTACH_PROVIDERS. One serves any number of commands, one after another:
    it knows one provider configuration at a time.
    """
    started = subprocess.Popen(
        [PYTHON, "-m", "tests.infrastructure.terraform.provider", root],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdin is not None
    assert started.stdout is not None
    try:
        attach = started.stdout.readline()
        if not attach:
            raise TerraformFailed("the provider stand-in did not start; it says why above")
        yield attach.strip()
    finally:
        started.stdin.close()
        started.wait(timeout=30)
        started.stdout.close()


class Terraform:
    """One root module, copied into `scratch` with all it may refer to (`root`), its state local.

    Where the folder has a terraform.tfvars.example, its values are the ones that are used.
    """

    def __init__(
        self,
        folder: Path,
        attach: str,
        scratch: Path,
        root: Path = BASE,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder = folder.resolve()
        root = root.resolve() if folder.is_relative_to(root.resolve()) else folder
        copied = scratch / root.name
        shutil.copytree(root, copied, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        self.folder = copied / folder.relative_to(root)
        if any('backend "' in file.read_text(encoding="utf-8") for file in folder.glob("*.tf")):
            override = self.folder / "backend_override.tf"
            override.write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
        self._files = [EXAMPLE] if (self.folder / EXAMPLE).exists() else []
        settings = scratch / "terraform.rc"
        settings.touch()
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("TF_", "AWS_")) or key == "AWS_CALLS"
        }
        self._environment = kept | {
            "TF_REATTACH_PROVIDERS": attach,
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            **(environment or {}),
        }

    def run(self, *words: str) -> str:
        """Run any terraform command; returns its output. Raises TerraformFailed."""
        done = subprocess.run(
            ["terraform", *words],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TerraformFailed(f"{done.stdout}{done.stderr}".strip())
        return done.stdout

    def init(self) -> None:
        """Install the modules. The provider is there already."""
        self.run("init", "-input=false", "-no-color")

    def validate(self) -> None:
        """References, names and types."""
        self.run("validate", "-no-color")

    def plan(self, *, destroy: bool = False, **variables: Any) -> dict[str, Any]:
        """The plan as `terraform show -json` gives it."""
        words = ["-destroy"] if destroy else []
        self.run(
            *("plan", "-input=false", "-no-color", "-out=plan", *words, *self.values(variables))
        )
        shown: dict[str, Any] = json.loads(self.run("show", "-json", "plan"))
        return shown

    def changes(self, **variables: Any) -> dict[str, list[str]]:
        """The actions of a plan that change something, by address."""
        return changed(self.plan(**variables))

    def apply(self, **variables: Any) -> dict[str, Any]:
        """Apply; the outputs' values by name."""
        values = self.values(variables)
        self.run("apply", "-input=false", "-no-color", "-auto-approve", *values)
        outputs = json.loads(self.run("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def state(self) -> dict[str, Any]:
        """The state as `terraform show -json` gives it."""
        shown: dict[str, Any] = json.loads(self.run("show", "-json"))
        return shown

    def destroy(self, **variables: Any) -> str:
        """Destroy everything; returns the output of terraform and its scripts."""
        values = self.values(variables)
        return self.run("destroy", "-input=false", "-no-color", "-auto-approve", *values)

    def test(self) -> str:
        """`terraform test`; returns its output. Raises TerraformFailed."""
        return self.run("test", "-no-color")

    def use(self, values: Path) -> None:
        """Take a .tfvars file's values, after the example's."""
        self._files.append(str(values.resolve()))

    def values(self, variables: Mapping[str, Any]) -> list[str]:
        """The words that give terraform the example's values and these."""
        words = [f"-var-file={file}" for file in self._files]
        if variables:
            given = self.folder / "given.tfvars.json"
            given.write_text(json.dumps(variables), encoding="utf-8")
            words.append(f"-var-file={given.name}")
        return words


def resources(plan_or_state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All resources of a plan's or a state's values, of every module in it."""
    values = plan_or_state.get("planned_values") or plan_or_state.get("values") or {}

    def within(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        yield from module.get("resources", [])
        for child in module.get("child_modules", []):
            yield from within(child)

    return list(within(values.get("root_module", {})))


def changed(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """The actions of a plan that change something, by address."""
    actions: dict[str, list[str]] = {
        each["address"]: each["change"]["actions"] for each in plan.get("resource_changes", [])
    }
    return {address: done for address, done in actions.items() if done not in (["no-op"], ["read"])}
