"""Workers enter and leave by the machines and the node's tools, and by nothing else."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = ("functions", "layers")
OUTSIDE_NODE = (*APP, "hub", "lab", "operator", "emulator")
# Of the Docker SDK and of the command line; making a manager's Swarm (`init`) is the lab's to do.
SWARM_CALLS = {"swarm.join", "swarm.leave", "node.update", "node.remove", "api.join_swarm"}
SDK_NAMES = {"join_swarm", "leave_swarm", "update_node", "remove_node"}
SWARM_WORDS = re.compile(r"\b(swarm\s+(join|leave)|node\s+(update|rm|promote|demote))\b")
# The lab may look at the Chef Server and provision its admin; clients and nodes come from the app,
# and from the node's own chef-client, whose stand-in is in one folder.
CHEF_CALLS = {"create_client", "delete_client", "delete_node"}
CHEF_STAND_IN = ROOT / "lab/labswarm_lab/chef"
SWARM_PATHS = re.compile(r"/swarm/(join|leave)|/nodes/[^\s\"']*/update")


def sources(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    )


def scripts() -> list[Path]:
    """Files that are not Python and may hold commands."""
    return [
        ROOT / "template.yaml",
        *sorted((ROOT / "statemachines").iterdir()),
        *(
            path
            for folder in OUTSIDE_NODE
            for path in sorted((ROOT / folder).rglob("*"))
            if path.suffix in (".sh", ".yaml", ".yml", ".toml") or path.name == "Makefile"
            if "node_modules" not in path.parts
        ),
    ]


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def docstrings(tree: ast.Module) -> set[ast.expr]:
    return {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def _text(node: ast.AST) -> str | None:
    """A text in the source, with `{}` for its placeholders."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    return None


def commanded(tree: ast.Module) -> list[str]:
    """This source's calls to a Swarm: calls of the SDK, and words and paths in its texts."""
    found = []
    spared = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name.endswith(tuple(SWARM_CALLS)) or name.rpartition(".")[2] in SDK_NAMES:
                found.append(f"{node.lineno}: {name}()")
            words = [a.value for a in _flat(node) if isinstance(a.value, str)]
            if SWARM_WORDS.search(" ".join(words)):
                found.append(f"{node.lineno}: {' '.join(words)}")
        elif (text := _text(node)) is not None and node not in spared:
            if SWARM_PATHS.search(text) or SWARM_WORDS.search(text):
                found.append(f"{node.lineno}: {text}")  # type: ignore[attr-defined]  # an expression
        elif isinstance(node, ast.List | ast.Tuple):
            words = [str(e.value) for e in node.elts if isinstance(e, ast.Constant)]
            if SWARM_WORDS.search(" ".join(words)):
                found.append(f"{node.lineno}: {words}")
    return found


def _flat(call: ast.Call) -> list[ast.Constant]:
    return [argument for argument in call.args if isinstance(argument, ast.Constant)]


@pytest.mark.parametrize("path", sources(*OUTSIDE_NODE), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_outside_node_joins_a_swarm_or_changes_its_nodes(path: Path) -> None:
    assert commanded(ast.parse(path.read_text())) == []


@pytest.mark.parametrize("path", scripts(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_script_or_description_does_either(path: Path) -> None:
    assert SWARM_WORDS.findall(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "client.swarm.join(remote_addrs=a, join_token=t)",
        "engine.api.update_node(i, v, spec)",
        "node.remove(force=True)",
        "run('docker', 'swarm', 'join', token)",
        "run(['docker', 'node', 'update', '--availability', 'drain', name])",
        "run('docker node rm x')",
        "post(url + '/swarm/join')",
        "api.call('POST', f'/nodes/{node}/update', body=spec)",
        "command = 'docker swarm join'",
        "command = f'docker swarm join {manager}'",
    ],
)
def test_the_guard_sees_each_way_to_command_a_swarm(source: str) -> None:
    assert commanded(ast.parse(source)) != []


def chef_calls(tree: ast.Module) -> list[str]:
    """Where this source makes or ends something on a Chef Server."""
    return [
        f"{node.lineno}: {dotted(node.func)}()"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in CHEF_CALLS
    ]


@pytest.mark.parametrize(
    "path",
    [p for p in sources("hub", "lab", "operator", "emulator") if CHEF_STAND_IN not in p.parents],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_neither_hub_nor_lab_calls_chef_in_the_nodes_place(path: Path) -> None:
    assert chef_calls(ast.parse(path.read_text())) == []


def test_the_guard_sees_a_chef_client_being_made_or_ended() -> None:
    tree = ast.parse("ChefServer(url).create_client(name, key)\nchef.delete_node(name)")
    assert len(chef_calls(tree)) == 2


@pytest.mark.parametrize("path", sources(*APP), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_app_never_makes_a_chef_node_object(path: Path) -> None:
    made = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (words := [a.value for a in _flat(node) if isinstance(a.value, str)])
        and words[0] in ("POST", "PUT")
        and any(word.startswith("/nodes") for word in words[1:])
    ]
    assert made == []


@pytest.mark.parametrize("path", sources(*APP), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_app_imports_no_other_part(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"^\s*(import|from)\s+(labswarm_\w+|docker)\b", text, re.MULTILINE) is None


def test_no_test_imports_from_another_test_module() -> None:
    """Shared parts stand in tests/support: a test module can be moved or run alone."""
    imported = [
        f"{path.relative_to(ROOT)}: {node.module}"
        for path in sources("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").rpartition(".")[2].startswith("test_")
    ]
    assert imported == []


# A command is an event: a function sends it, or reads its result, and ends.
WAITING = {"sleep", "get_waiter", "backoff"}


def waits(source: str) -> set[str]:
    """The names of functions that sleep, or look at something again and again."""
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    return names & WAITING


@pytest.mark.parametrize("path", sources(*APP), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_of_the_app_sleeps_or_polls(path: Path) -> None:
    assert waits(path.read_text()) == set()


@pytest.mark.parametrize(
    "source",
    ["time.sleep(1)", "for _ in backoff(clock, 3): look()", "ssm.get_waiter('command_executed')"],
)
def test_a_wait_is_seen(source: str) -> None:
    assert waits(source)
