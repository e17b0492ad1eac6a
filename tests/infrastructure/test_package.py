"""The package's metadata: the imports of each part are declared, and the locks are within it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FOLDERS = {
    name: ROOT / folder
    for name, folder in {
        "labswarm": "layers/labswarm/labswarm",
        "labswarm_node": "node/labswarm_node",
        "labswarm_hub": "hub/labswarm_hub",
        "labswarm_labs": "hub/labswarm_labs",
        "labswarm_operator": "operator/labswarm_operator",
        "labswarm_emulator": "emulator/labswarm_emulator",
        "labswarm_lab": "lab/labswarm_lab",
    }.items()
}
# Modules that the hub's environment has, and not this one.
ELSEWHERE = {
    **{name: name for name in ("dockerspawner", "jupyterhub", "traitlets")},
    "jupyterhub_idle_culler": "jupyterhub-idle-culler",
    "nativeauthenticator": "jupyterhub-nativeauthenticator",
}
# In the distribution that is named, by a dependency that it cannot be without.
COMES_WITH = {
    "botocore": "boto3",
    "yarl": "aiohttp",
    "pydantic-core": "pydantic",
    "docker": "dockerspawner",
    "traitlets": "jupyterhub",
    "werkzeug": "moto",
    "s3transfer": "boto3",
}


def declared(*extras: str) -> set[str]:
    texts = list(PROJECT["dependencies"])
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(text).name) for text in texts}


def imports(file: Path) -> set[str]:
    """The modules that a file imports, outside of `if TYPE_CHECKING`."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def file_of(module: str) -> Path | None:
    """The file of a module of ours; None for any other, and for a name inside of a module."""
    top, *rest = module.split(".")
    path = FOLDERS[top].joinpath(*rest)
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return file
    return None


def needed(*packages: str) -> set[str]:
    """The distributions of others that these packages of ours need, directly or by one another."""
    seen: set[Path] = set()
    others: set[str] = set()
    todo = [file for package in packages for file in FOLDERS[package].rglob("*.py")]
    while todo:
        file = todo.pop()
        if file in seen:
            continue
        seen.add(file)
        for module in imports(file):
            top = module.split(".")[0]
            if top in FOLDERS:
                todo += [found] if (found := file_of(module)) else []
            elif top not in sys.stdlib_module_names and top != "_typeshed":
                others.add(top)
    known = {**packages_distributions(), **{name: [at] for name, at in ELSEWHERE.items()}}
    return {canonicalize_name(name) for top in others for name in known[top][:1]}


@pytest.mark.parametrize(
    ("packages", "extras"),
    [
        (("labswarm_operator",), ("png",)),
        (("labswarm_node",), ("node",)),
        (("labswarm_hub",), ("hub",)),
        (("labswarm_labs",), ("labs",)),
        (("labswarm", "labswarm_operator", "labswarm_lab", "labswarm_emulator"), ("lab", "png")),
    ],
)
def test_each_import_is_a_declared_dependency(
    packages: tuple[str, ...], extras: tuple[str, ...]
) -> None:
    there = declared(*extras)
    missing = {name for name in needed(*packages) if COMES_WITH.get(name, name) not in there}
    assert missing - there == set()


def test_the_operators_package_imports_no_module_of_the_lab() -> None:
    wrong = {
        f"{file.name}: {module}"
        for file in FOLDERS["labswarm_operator"].rglob("*.py")
        for module in imports(file)
        if module.startswith(("labswarm_lab", "labswarm_emulator", "labswarm_hub", "labswarm_node"))
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("lock", "extras"), [("lab.lock", ("node", "labs", "lab", "png")), ("class.lock", ("hub",))]
)
def test_the_locks_pins_are_within_the_declared_ranges(lock: str, extras: tuple[str, ...]) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", text, re.MULTILINE))
    # The operator's own are in the lab's lock only.
    texts = list(PROJECT["dependencies"]) if lock == "lab.lock" else []
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    wanted = [Requirement(text) for text in texts]
    assert [
        str(w) for w in wanted if not w.specifier.contains(pins[canonicalize_name(w.name)])
    ] == []
