"""The layout of the code: which part may import which, and where the seams to AWS stand."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers/labswarm/labswarm"
WORDS = "words"
"""The modules directly in the layer, which every subject shares."""
MAY_IMPORT = {
    WORDS: set(),
    "lifecycle": {WORDS},
    "commands": {WORDS, "lifecycle"},
    "lab_hours": {WORDS, "lifecycle", "commands"},
    "reconcile": {WORDS, "lifecycle", "commands"},
    "planning": {WORDS, "lifecycle", "lab_hours"},
    "usage": {WORDS, "lab_hours"},
    "readiness": {WORDS, "lab_hours", "planning", "chef"},
    "chef": {WORDS},
    "document": {WORDS},
    "aws": {
        *(WORDS, "lifecycle", "commands", "lab_hours", "reconcile", "usage", "readiness"),
        *("chef", "document"),
    },
}
CLIENTS = {"boto3", "botocore", "urllib3"}
# These adapt nothing: they serve the adapters and the functions.
SERVING = {"environment", "errors", "observability", "wiring"}
# The modules of aws/ that a handler needs and that are no seams.
FOR_HANDLERS = {
    "labswarm.aws.environment",
    "labswarm.aws.observability",
    "labswarm.aws.wiring",
}


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file imports, wherever in it; of `from a import b`, `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(LAYER.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def subject_of(name: str) -> str:
    """The subject of a module of the layer, such as lifecycle for labswarm.lifecycle.claim."""
    parts = name.split(".")
    return parts[1] if len(parts) > 2 else WORDS


MODULES = {name_of(path): path for path in LAYER.rglob("*.py")}
GRAPH = {name: imports(path) & MODULES.keys() - {name} for name, path in MODULES.items()}


@pytest.mark.parametrize("subject", MAY_IMPORT)
def test_a_subject_imports_only_those_below_it(subject: str) -> None:
    upward = {
        (name, imported)
        for name, others in GRAPH.items()
        if subject_of(name) == subject and MODULES[name].stem != "__init__"
        for imported in others
        if MODULES[imported].stem != "__init__"
        and subject_of(imported) not in {subject, *MAY_IMPORT[subject]}
    }

    assert upward == set()


def test_every_subject_has_its_place_in_the_order() -> None:
    folders = {path.name for path in LAYER.iterdir() if (path / "__init__.py").exists()}

    assert folders == MAY_IMPORT.keys() - {WORDS}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert list(TopologicalSorter(GRAPH).static_order())


@pytest.mark.parametrize("path", sorted(LAYER.rglob("*.py")), ids=name_of)
def test_only_the_adapters_know_the_clients(path: Path) -> None:
    if subject_of(name_of(path)) in ("aws", "chef"):
        return
    assert packages(path) & CLIENTS == set()
    assert {name for name in imports(path) if f"{name}.".startswith("labswarm.aws.")} == set()


@pytest.mark.parametrize("path", files("functions"), ids=lambda path: path.parent.name)
def test_a_function_takes_its_adapters_from_the_wiring(path: Path) -> None:
    assert packages(path) & CLIENTS == set()
    assert {
        name
        for name in imports(path)
        if name in MODULES and name.startswith("labswarm.aws.")
    } <= FOR_HANDLERS  # fmt: skip


# Seams


def classes(path: Path) -> Iterator[ast.ClassDef]:
    return (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef))


def protocols(path: Path) -> set[str]:
    return {
        node.name
        for node in classes(path)
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }


ADAPTERS = sorted(
    path
    for path in (LAYER / "aws").rglob("*.py")
    if path.stem not in {"__init__", *SERVING}
)  # fmt: skip
PORTS = {path.stem: path for path in MODULES.values() if protocols(path)}


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_has_the_file_name_of_the_protocol_that_it_implements(path: Path) -> None:
    port = PORTS[path.stem]
    named = {f"{name_of(port)}.{protocol}" for protocol in protocols(port)}
    docstrings = [ast.get_docstring(node) or "" for node in classes(path)]

    assert subject_of(name_of(port)) != "aws"
    assert any(f"Implements {name}" in text for name in named for text in docstrings)


@pytest.mark.parametrize("path", sorted(PORTS.values()), ids=name_of)
def test_a_protocol_has_an_adapter_of_its_name(path: Path) -> None:
    # These are no services of AWS: the clock, and the process that reads a timetable.
    assert path.stem in {"clock", "timetables", *(adapter.stem for adapter in ADAPTERS)}


def test_each_file_name_stands_for_one_seam() -> None:
    stems = [path.stem for path in MODULES.values() if protocols(path)]

    assert sorted(stems) == sorted(set(stems))


TWINS = sorted(
    (path.stem, node.name)
    for path in (ROOT / "tests/twins").glob("*.py")
    for node in classes(path)
    if "Implements " in (ast.get_docstring(node) or "")
)


@pytest.mark.parametrize(("module", "twin"), TWINS, ids=lambda name: name)
def test_a_twin_passes_the_contract_suite_of_its_original(module: str, twin: str) -> None:
    suites = [
        {alias.name for alias in node.names}
        for path in (ROOT / "tests/contract").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == f"tests.twins.{module}"
    ]

    assert any(twin in imported for imported in suites)


def test_every_file_of_twins_has_one_that_names_its_protocol() -> None:
    files_of_twins = {path.stem for path in (ROOT / "tests/twins").glob("*.py")} - {"__init__"}

    assert {module for module, _ in TWINS} == files_of_twins


# The other packages


@pytest.mark.parametrize("path", files("emulator"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_emulator_stands_alone(path: Path) -> None:
    known = {name for name in packages(path) if name.startswith("labswarm")}

    assert known <= {"labswarm_emulator"}


@pytest.mark.parametrize(
    "path",
    files("layers", "functions", "node", "hub", "operator"),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_that_is_deployed_knows_the_emulator(path: Path) -> None:
    assert "labswarm_emulator" not in packages(path)


@pytest.mark.parametrize("path", files("operator"), ids=lambda path: str(path.relative_to(ROOT)))
def test_an_operators_package_does_not_know_the_lab(path: Path) -> None:
    """The lab is a plug-in: `pip install labswarm` brings none of it."""
    assert not {"labswarm_lab", "labswarm_node", "labswarm_hub"} & packages(path)
