"""Read the prose of the repository and count the words that docs/how-to/writing.md asks to avoid.

`python -m tests.support.prose` prints the counts and the files with the most findings;
`python -m tests.support.prose FILE...` prints each finding of these files with its line.

Prose is Markdown without its code, docstrings, comments, descriptions in YAML, Terraform and state
machines, the names of tests, and in Python product code every string of four words or more: help
texts, errors, log lines.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BANNED = {
    "anew": re.compile(r"\banew\b", re.IGNORECASE),
    "beside": re.compile(r"\bbeside\b", re.IGNORECASE),
    "whoever": re.compile(r"\bwho(?:so|m)?ever\b", re.IGNORECASE),
    "mend": re.compile(r"\bmend(?:s|ed|ing)?\b", re.IGNORECASE),
    "ring": re.compile(r"\b(?:rings?|rang|ringing)\b", re.IGNORECASE),
    "tell": re.compile(r"\b(?:tells?|told|telling)\b", re.IGNORECASE),
    "is to be": re.compile(r"\b(?:is|are|was|were)(?: not)? to be\b", re.IGNORECASE),
    "shall": re.compile(r"\bshall\b", re.IGNORECASE),
    "thereby": re.compile(r"\bthereby\b", re.IGNORECASE),
    "per": re.compile(r"\$[\d.,]+ an? (?:minute|hour|day|month|year)\b", re.IGNORECASE),
    "of which": re.compile(r"\b(?:of which|[io]n whose|of whose|whom)\b", re.IGNORECASE),
}
"""Words and forms that must not occur at all; docs/how-to/writing.md has the words to use."""

FREE_RELATIVE = re.compile(
    r"(?:^|[.;:,(|] ?"
    r"|\b(?:of|that|and|or|but|for|to|by|with|in|on|from|at|after|before|until|than|as|not|only|is|are"
    r"|says?|said|sees?|removed?|removes|shows?|names?|lists?) )"
    r"(?:what|whatever|who(?:so|m)?ever)\b"
    # "Who must not wait sets ...": a clause about a person nobody names.
    r"|(?:^|[.;:(|] ?|\b(?:of|that|for|to|by|with|in|on|from|is|are|not|than|as) )who\b",
    re.IGNORECASE,
)
"""A clause that stands for a noun, such as "what cannot be delivered". Questions are left out."""

MOST_FREE_RELATIVES = 5.0
"""Per 10,000 words. Seven well-kept projects of the field have 0.6 to 6.8."""

_SENTENCE = re.compile(r"[^.?!]+[.?!]*")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_MARKDOWN_CODE = re.compile(r"`[^`\n]*`|<!--.*?-->|\]\([^)]*\)|https?://\S+", re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
_TEST_NAME = re.compile(
    r"""^\s*(?:it|describe|context|test)\(? ?(['"`])(?P<text>.+?)\1(?:,| do\b)"""
)
_SLASH_COMMENT = re.compile(
    r"^\s*(?:/\*\*?|\*(?!/)|//) ?(?P<text>.*?)(?:\*/)?$|\s// (?P<behind>.+)$"
)
_HASH_COMMENT = re.compile(r"(?:^|\s)#+\s+(?P<text>.*)")
_DIRECTIVE = re.compile(r"noqa|type:|pragma|mypy:|ruff|yamllint|shellcheck|checkov|zizmor|!")
_DESCRIPTION = re.compile(
    r"""["']?\b(?:Alarm)?(?:Description|Comment|description|error_message)["']?\s*[:=]\s*(?P<text>.+)"""
)
_COMMENTED = {".yaml", ".yml", ".sh", ".rb", ".tf", ".hcl", ".toml", ".in", ".cfg"}
_NOT_OURS = re.compile(r"(^|/)(node_modules|LICENSE|CHANGELOG)")


@dataclass(frozen=True)
class Passage:
    """One piece of prose; `line` is where it begins in its file."""

    file: Path
    line: int
    text: str


@dataclass(frozen=True)
class Finding:
    """One word to avoid, with the sentence that has it."""

    file: Path
    line: int
    word: str
    sentence: str


@dataclass(frozen=True)
class Counts:
    """The result of one measurement."""

    words: int
    free_relatives: list[Finding]
    banned: list[Finding]

    @property
    def rate(self) -> float:
        """Free relatives per 10,000 words."""
        return 10_000 * len(self.free_relatives) / max(1, self.words)


def tracked(root: Path = ROOT) -> list[Path]:
    """The repository's files, without third-party ones."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = [name for name in listed.split("\0") if name and not _NOT_OURS.search(name)]
    return [root / name for name in names if (root / name).is_file()]


def passages(file: Path) -> list[Passage]:
    """The prose of one file, in order; none where its kind of file is not read."""
    read = _reader(file)
    if read is None:
        return []
    text = file.read_text(encoding="utf-8")
    return [Passage(file, line, piece) for line, piece in read(text) if piece.strip()]


def measure(found: Iterable[Passage]) -> Counts:
    """Count words, free relatives and banned words over passages."""
    words = 0
    relatives: list[Finding] = []
    banned: list[Finding] = []
    for passage in found:
        words += len(_WORD.findall(passage.text))
        for sentence in _SENTENCE.findall(passage.text):
            said = " ".join(sentence.split())
            if not said.endswith("?"):
                relatives += [
                    Finding(passage.file, passage.line, match[0].strip(), said)
                    for match in FREE_RELATIVE.finditer(said)
                ]
            banned += [
                Finding(passage.file, passage.line, word, said)
                for word, pattern in BANNED.items()
                for _ in pattern.finditer(said)
            ]
    return Counts(words, relatives, banned)


def _reader(file: Path) -> Callable[[str], Iterator[tuple[int, str]]] | None:
    if file.suffix == ".md":
        return _markdown
    if file.suffix == ".py":
        return _tests_python if "tests" in file.parts else _python
    if file.name.endswith(".asl.yaml") or file.suffix in _COMMENTED:
        return _commented
    if file.suffix == ".ts":
        return _typescript
    if file.name in ("Makefile", "Dockerfile", "Policyfile.rb"):
        return _commented
    return None


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    """Each paragraph, list item and table cell, without code and without link targets."""
    blank = _FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
    blank = _MARKDOWN_CODE.sub(lambda code: "CODE" + "\n" * code[0].count("\n"), blank)
    paragraph: list[str] = []
    begins = 1
    for number, line in enumerate(blank.splitlines(), start=1):
        starts = re.match(r"\s*([-*#|>]|\d+\.|$)", line)
        if starts and paragraph:
            yield begins, "\n".join(paragraph)
            paragraph = []
        if line.lstrip().startswith("|"):
            for cell in _CELL.split(line):
                yield number, cell
        elif line.strip():
            begins = begins if paragraph else number
            paragraph.append(line.strip().lstrip("#->* "))
    if paragraph:
        yield begins, "\n".join(paragraph)


def _tests_python(text: str) -> Iterator[tuple[int, str]]:
    """Docstrings, comments and the names of tests: a test's strings are data."""
    yield from _docstrings(ast.parse(text))
    yield from _python_comments(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def _python(text: str) -> Iterator[tuple[int, str]]:
    """Docstrings, comments, and every string that is long enough to be a sentence."""
    tree = ast.parse(text)
    yield from _docstrings(tree)
    yield from _python_comments(text)
    documented = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in documented or id(node) in inside:
            continue
        said = _string(node)
        if len(_WORD.findall(said)) >= 4 and " " in said.strip():
            yield getattr(node, "lineno", 1), said


def _string(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_string(value) if _string(value) else "…" for value in values)
    return ""


def _docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(value), lineno=line)):
                yield line, _MARKDOWN_CODE.sub("CODE", value)


def _python_comments(text: str) -> Iterator[tuple[int, str]]:
    comments = (
        (token.start[0], token.string.lstrip("#! "))
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    )
    yield from _joined((line, said) for line, said in comments if not _DIRECTIVE.match(said))


def _commented(text: str) -> Iterator[tuple[int, str]]:
    """Comments behind a `#`, and the values of fields that describe."""
    comments: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        comment = _HASH_COMMENT.search(line)
        described = _DESCRIPTION.search(line)
        if comment and not _DIRECTIVE.match(comment["text"]):
            comments.append((number, _MARKDOWN_CODE.sub("CODE", comment["text"])))
        elif described:
            yield number, _MARKDOWN_CODE.sub("CODE", described["text"]).strip("\"'>|")
        elif named := _TEST_NAME.match(line):
            yield number, named["text"]
    yield from _joined(comments)


def _typescript(text: str) -> Iterator[tuple[int, str]]:
    """Comments, and the names of tests."""
    comments: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if comment := _SLASH_COMMENT.search(line):
            said = comment["text"] or comment["behind"] or ""
            comments.append((number, _MARKDOWN_CODE.sub("CODE", said)))
        elif named := _TEST_NAME.match(line):
            yield number, named["text"]
    yield from _joined(comments)


def _joined(comments: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Comments on lines that follow each other are one text."""
    begins, last, block = 0, 0, list[str]()
    for line, said in comments:
        if block and line != last + 1:
            yield begins, "\n".join(block)
            block = []
        begins = begins if block else line
        last = line
        block.append(said)
    if block:
        yield begins, "\n".join(block)


def _print_findings(files: Iterable[Path]) -> None:
    for file in files:
        counts = measure(passages(file))
        for finding in sorted(counts.banned + counts.free_relatives, key=lambda it: it.line):
            print(f"{file}:{finding.line}: {finding.word}: {finding.sentence[:160]}")


def _print_summary() -> None:
    counts = measure(passage for file in tracked() for passage in passages(file))
    print(f"{counts.words} words, {len(counts.free_relatives)} free relatives:", end=" ")
    print(f"{counts.rate:.1f} per 10,000 (at most {MOST_FREE_RELATIVES:.0f})")
    words = Counter(finding.word for finding in counts.banned)
    print("banned:", ", ".join(f"{word} {words[word]}" for word in BANNED))
    files = Counter(finding.file for finding in counts.free_relatives + counts.banned)
    for file, number in files.most_common(40):
        print(f"{number:5} {file.relative_to(ROOT)}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _print_findings(Path(name) for name in sys.argv[1:])
    else:
        _print_summary()
