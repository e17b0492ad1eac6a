"""emulator/UPSTREAM.md has a row for each module of the emulator that changes moto."""

import ast
import re
from pathlib import Path

import moto
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "emulator" / "labswarm_emulator"
PAGE = (ROOT / "emulator" / "UPSTREAM.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `moto/[^|]+` \| `([\w/]+\.py)` \| [^|]+\. \| [^|]+ \|$", re.MULTILINE)


def changes_moto(source: str) -> bool:
    """Whether a module assigns to an attribute of something that it imports from moto."""
    tree = ast.parse(source)
    of_moto = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "moto":
            of_moto |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = (alias.asname or alias.name for alias in node.names)
            of_moto |= {name for name in names if name.partition(".")[0] == "moto"}
    roots = {name.partition(".")[0] for name in of_moto}
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "replace" and roots:
                return True  # stepfunctions.interpreter.replace
            targets = node.args[:1] if node.func.id == "setattr" else []
            targets = [ast.Attribute(one, "") for one in targets]
        for target in targets:
            if isinstance(target, ast.Attribute):
                root: ast.expr = target
                while isinstance(root, ast.Attribute):
                    root = root.value
                if isinstance(root, ast.Name) and root.id in roots:
                    return True
    return False


def changing() -> set[str]:
    return {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if changes_moto(file.read_text(encoding="utf-8"))
    }


def test_each_module_that_changes_moto_has_a_row() -> None:
    assert len(changing()) > 40
    assert sorted(changing() - set(ROW.findall(PAGE))) == []


def test_each_row_is_of_a_module_that_is_there_once() -> None:
    rows = ROW.findall(PAGE)
    assert sorted(rows) == sorted(set(rows))
    assert [row for row in rows if not (PACKAGE / row).is_file()] == []
    assert len(rows) == PAGE.count("| `moto/")


def test_each_file_of_moto_is_there() -> None:
    site = Path(moto.__file__).parent.parent
    named = re.findall(r"`(moto/[^`]+)`", PAGE)
    assert [path for path in named if not (site / path).exists()] == []


def test_the_page_is_about_the_version_that_is_pinned() -> None:
    lock = (ROOT / "requirements" / "lab.lock").read_text(encoding="utf-8")
    (pinned,) = re.findall(r"^moto(?:\[[\w,-]+\])?==(\S+)", lock, re.MULTILINE)
    assert f"moto {pinned}," in PAGE


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("from moto.sns.models import Topic\nTopic.publish = print", True),
        ("import moto.sns.models\nmoto.sns.models.Topic.publish = print", True),
        ("from moto.sns.models import Topic\nsetattr(Topic, 'publish', print)", True),
        ("from moto.sns.models import Topic\nprint(Topic)", False),
        ("class Topic: ...\nTopic.publish = print", False),
    ],
)
def test_a_change_of_moto_is_found(source: str, changed: bool) -> None:
    assert changes_moto(source) is changed
