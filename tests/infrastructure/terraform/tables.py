"""The tables in the modules' READMEs, written from their variables and outputs.

The files are read as `terraform fmt` writes them, which a test keeps true: a block begins and ends
at the margin, its attributes are indented by two.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

BEGIN = "<!-- BEGIN_TF_DOCS -->"
END = "<!-- END_TF_DOCS -->"
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r"^  (\w+) += (.*?)\n(?=  \w|\n|\Z)", re.MULTILINE | re.DOTALL)


class NoPlace(Exception):
    """A README is missing, or has no place for its tables."""


@dataclass(frozen=True)
class Variable:
    """An input. `default` is None where a value has to be given."""

    name: str
    description: str
    type: str
    default: str | None


@dataclass(frozen=True)
class Output:
    """The outputs of a module."""

    name: str
    description: str


def folders(base: Path) -> list[Path]:
    """The modules, stacks and examples under a folder."""
    return sorted({file.parent for file in base.glob("*/*/*.tf")})


def write(modules: Iterable[Path]) -> Iterator[Path]:
    """Bring the READMEs of these folders up to date; yields those that were not. Raises NoPlace."""
    for folder in modules:
        readme = folder / "README.md"
        old = readme.read_text(encoding="utf-8") if readme.exists() else ""
        new = updated(folder, old)
        if new != old:
            readme.write_text(new, encoding="utf-8")
            yield readme


def updated(folder: Path, readme: str) -> str:
    """The README with its tables as the folder's files have them. Raises NoPlace."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NoPlace(f"{folder / 'README.md'} has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{tables(folder)}{END}{after}"


def tables(folder: Path) -> str:
    """Both tables in Markdown; an empty one is left out."""
    text = _text_of(folder)
    inputs = sorted(_variables(text), key=lambda each: (each.default is not None, each.name))
    outputs = sorted(_outputs(text), key=lambda each: each.name)
    written = ""
    if inputs:
        written += "\n## Inputs\n\n| name | description | type | default |\n|---|---|---|---|\n"
        for each in inputs:
            default = "required" if each.default is None else _code(each.default)
            written += (
                f"| `{each.name}` | {_cell(each.description)} | {_code(each.type)} | {default} |\n"
            )
    if outputs:
        written += "\n## Outputs\n\n| name | description |\n|---|---|\n"
        for output in outputs:
            written += f"| `{output.name}` | {_cell(output.description)} |\n"
    return written + "\n"


def undescribed(folder: Path) -> list[str]:
    """Inputs and outputs without a description, and inputs without a type."""
    text = _text_of(folder)
    inputs = [each.name for each in _variables(text) if not each.description or not each.type]
    return inputs + [each.name for each in _outputs(text) if not each.description]


def _text_of(folder: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.tf")))


def _variables(text: str) -> Iterator[Variable]:
    for kind, name, body in BLOCK.findall(text):
        if kind == "variable":
            held = dict(ATTRIBUTE.findall(body))
            yield Variable(
                name,
                _text(held.get("description", '""')),
                held.get("type", ""),
                held.get("default"),
            )


def _outputs(text: str) -> Iterator[Output]:
    for kind, name, body in BLOCK.findall(text):
        if kind == "output":
            held = dict(ATTRIBUTE.findall(body))
            yield Output(name, _text(held.get("description", '""')))


def _text(expression: str) -> str:
    heredoc = re.fullmatch(r"<<-?(\w+)\n(.*?)(?:\n\s*\1)?", expression, re.DOTALL)
    if heredoc:
        return heredoc[2]
    return expression.strip().strip('"').replace('\\"', '"').replace("$${", "${")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(expression: str) -> str:
    """An expression on one line: line ends between attributes become commas, comments go."""
    without = re.sub(r"\s+(#|//).*", "", expression)
    line = re.sub(r"(?<=[^\s{(\[,])\n\s*(?=[\w\"])", ", ", without)
    line = " ".join(line.split())
    line = re.sub(r",? ?([}\])])", r" \1", line) if "{" in line else line
    line = re.sub(r"\(\s+|\s+\)", lambda found: found[0].strip(), line)
    line = re.sub(r"\[\s+|\s+\]|,(?= *\])", lambda found: found[0].strip(" ,"), line)
    line = line.replace("{ }", "{}")
    return f"`{_cell(line)}`"
