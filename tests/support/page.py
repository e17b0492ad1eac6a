"""docs/reference/emulator.md, made of the markers of the conformance tests.

`python -m tests.support.page` rewrites it. The files are read and not imported: the
arguments of a marker are texts in the source, by position.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "tests/emulator"
FOLDERS = (SUITE, ROOT / "tests/contract/chef")
PAGE = ROOT / "docs/reference/emulator.md"
SERVICES = (
    "Auto Scaling",
    "CloudFormation",
    "CloudWatch",
    "DynamoDB",
    "EC2",
    "EventBridge",
    "IAM",
    "KMS",
    "Lambda",
    "S3",
    "Scheduler",
    "Secrets Manager",
    "SNS",
    "SQS",
    "SSM",
    "Step Functions",
)
KINDS = {"aws": 4, "differs": 4, "absent": 3}
"""How many arguments each marker has: service, API, and the behaviour."""
PUBLISHED = (
    "https://docs.aws.amazon.com/",
    "https://aws.amazon.com/",
    "https://states-language.net/",
    "https://github.com/aws/amazon-ssm-agent/",
)
"""Where behaviour is documented: by AWS, in the specification of the Amazon States Language, and in
the source of AWS's own agent."""

HEAD = """\
# The emulator, API by API

Behaviours of the AWS emulator that match AWS, differences with their reasons, and missing APIs. A
missing API answers with an error, never with a guess. Each line is a test in
[`tests/emulator`](../../tests/emulator). `python -m tests.support.page` makes this page from the
markers of these tests. Other behaviour is [moto](https://docs.getmoto.org)'s own, and no test of
ours covers it. [The emulator's README](../../emulator/README.md) shows how to run it alone, and
[UPSTREAM.md](../../emulator/UPSTREAM.md) lists the corrections of moto.

"""


class Unreadable(ValueError):
    """A marker that no line can be made of; the message names its file and line."""


@dataclass(frozen=True)
class Line:
    """One line of the page: a marker of one test."""

    kind: str
    service: str
    api: str
    said: str
    also: str
    """Of `aws` its source, of `differs` why, of `absent` nothing."""
    test: str
    """`file:line` of the marker."""


def lines_of(file: Path) -> list[Line]:
    """The markers in a file, in order. Raises Unreadable."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [_line(call, file) for call in _markers(tree)]


def unmarked(file: Path) -> list[str]:
    """The tests of a file that have no marker, neither of their own nor of their class."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [name for name, decorated in _tests(tree.body, []) if not list(_of(decorated))]


def suite_lines() -> list[Line]:
    """Every marker of the suite. Raises Unreadable."""
    files = [file for folder in FOLDERS for file in sorted(folder.glob("test_*.py"))]
    return [line for file in files for line in lines_of(file)]


def page(lines: Sequence[Line]) -> str:
    """The page in Markdown: services and their APIs by name, in each what is as AWS first."""
    services = [name for name in SERVICES if any(line.service == name for line in lines)]
    return HEAD + _table(lines, services) + "".join(_service(lines, name) for name in services)


def _table(lines: Sequence[Line], services: Sequence[str]) -> str:
    rows = ["| service | as AWS | differs | absent |", "|---|---|---|---|"]
    for service in services:
        counts = [
            sum(line.service == service and line.kind == kind for line in lines) for kind in KINDS
        ]
        anchor = service.lower().replace(" ", "-")
        rows.append(f"| [{service}](#{anchor}) | {' | '.join(map(str, counts))} |")
    return "\n".join(rows) + "\n"


def _service(lines: Sequence[Line], service: str) -> str:
    of_it = [line for line in lines if line.service == service]
    parts = [f"\n## {service}\n"]
    for api in sorted({line.api for line in of_it}, key=str.lower):
        parts.append(f"\n### {api}\n\n")
        parts += [
            _bullet(line)
            for kind in KINDS
            for line in of_it
            if (line.api, line.kind) == (api, kind)
        ]
    return "".join(parts)


def _bullet(line: Line) -> str:
    said = line.said.rstrip(".")
    if line.kind == "aws":
        return f"- {said} ([source]({line.also})).\n"
    if line.kind == "differs":
        return f"- **Differs:** {said}. Why: {line.also.rstrip('.')}.\n"
    return f"- **Absent:** {said}.\n"


def _tests(
    body: Sequence[ast.stmt], inherited: list[ast.expr]
) -> Iterator[tuple[str, list[ast.expr]]]:
    """Each test's name, and the decorators of it and its class."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _tests(node.body, [*inherited, *node.decorator_list])
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, [*inherited, *node.decorator_list]


def _of(decorators: Sequence[ast.expr]) -> Iterator[ast.Call]:
    for decorator in decorators:
        yield from _markers(decorator)


def _markers(tree: ast.AST) -> Iterator[ast.Call]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    found = [call for call in calls if _kind(call) in KINDS]
    yield from sorted(found, key=lambda call: call.lineno)


def _kind(call: ast.Call) -> str:
    """The name of a `pytest.mark.<name>(...)`, else an empty text."""
    match call.func:
        case ast.Attribute(value=ast.Attribute(value=ast.Name("pytest"), attr="mark"), attr=name):
            return name
    return ""


def _line(call: ast.Call, file: Path) -> Line:
    where = f"{file.name}:{call.lineno}"
    kind = _kind(call)
    said = [
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    if call.keywords or len(said) != len(call.args) or len(said) != KINDS[kind]:
        raise Unreadable(f"{where}: `{kind}` has {KINDS[kind]} texts, by position")
    service, api, what, also = [*said, ""][:4]
    if not all(text.strip() for text in said):
        raise Unreadable(f"{where}: a text of `{kind}` is empty")
    return Line(kind, service, api, what, also, where)


if __name__ == "__main__":
    PAGE.write_text(page(suite_lines()), encoding="utf-8")
    sys.exit(0)
