"""Read the YAML text of a document; each problem has a path, a line and a remedy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from labswarm.document import sizes
from labswarm.document.model import IN_WORDS, Document
from labswarm.document.refused import INSTEAD, instead_of
from labswarm.errors import BadInput

MOST_BYTES = 64 * 1024
"""The longest text. DynamoDB takes 400 KB per item, and a reader takes far less."""
_LONGEST_VALUE = 60

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One wrong value: the line (from 1), the path with dots, and the sentence about it."""

    line: int
    path: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path} {self.text}"


class BadDocument(BadInput):
    """A document that cannot be used; `problems` are in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.path)))
        super().__init__("document", "; ".join(map(str, self.problems)))


def parse(text: str) -> Document:
    """Return the document in a text. Raises BadDocument with every problem in it."""
    tree = load(text)
    _refuse_shared(tree)
    try:
        return Document.model_validate(_plain(tree))
    except ValidationError as error:
        found = [problem for one in error.errors() for problem in _problems(one, tree)]
        raise BadDocument(found) from error


def load(text: str) -> CommentedMap:
    """Return the text's mapping with its comments. Raises BadDocument for text that is no YAML."""
    if len(text.encode()) > MOST_BYTES:
        raise BadDocument(
            [Problem(1, "document", f"is longer than {MOST_BYTES} bytes. Shorten it.")]
        )
    try:
        tree = yaml().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = " ".join(str(error.problem or error.context).split("\n")[0].split())
        raise BadDocument([Problem(line, "document", f"is not YAML: {said}.")]) from error
    except (YAMLError, ValueError) as error:
        raise BadDocument([Problem(1, "document", f"is not YAML: {error}.")]) from error
    if tree is None:
        return CommentedMap()
    if not isinstance(tree, CommentedMap):
        raise BadDocument(
            [Problem(1, "document", "has to be a mapping, such as `cull: {timeout: 3600}`.")]
        )
    return tree


def yaml() -> YAML:
    """Return a reader and writer of YAML 1.2 that keeps comments and quotes."""
    made = YAML(typ="rt")
    made.preserve_quotes = True
    made.width = 4096
    made.indent(mapping=2, sequence=4, offset=2)
    return made


def dotted(path: Path) -> str:
    """Return the path as a person writes it, such as singleuser.profileList.0.slug."""
    return ".".join(map(str, path)) or "document"


def line_of(tree: Any, path: Path) -> int:
    """Return the line (from 1) of the value at `path`, or of the nearest part around it."""
    line, here = 1, tree
    for key in path:
        if isinstance(here, CommentedMap) and key in here:
            line = here.lc.key(key)[0] + 1
        elif isinstance(here, CommentedSeq) and isinstance(key, int) and key < len(here):
            line = here.lc.item(key)[0] + 1
        else:
            break
        here = here[key]
    return line


def _refuse_shared(tree: Any) -> None:
    """Raise BadDocument for an alias: a few lines of them could expand to millions."""
    seen: set[int] = set()
    stack: list[tuple[Path, Any]] = [((), tree)]
    while stack:
        path, value = stack.pop(0)
        if isinstance(value, CommentedMap | CommentedSeq):
            if id(value) in seen:
                said = "is an alias of another part. Write the part out."
                raise BadDocument([Problem(line_of(tree, path), dotted(path), said)])
            seen.add(id(value))
            stack += [((*path, key), inner) for key, inner in _items(value)]


def _items(value: CommentedMap | CommentedSeq) -> Iterator[tuple[Any, Any]]:
    return iter(value.items() if isinstance(value, CommentedMap) else enumerate(value))


def _plain(value: Any) -> Any:
    """Return the value of plain types: strict models take no subclass of them."""
    if isinstance(value, Mapping):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    # A date or a time, which no key takes: an error shows the text.
    return value if value is None else str(value)


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, str) else key


def _problems(error: ErrorDetails, tree: CommentedMap) -> Iterator[Problem]:
    """Return the problem; of an unknown part, one for each key in it that has a remedy."""
    given, known = error["input"], False
    if error["type"] == "extra_forbidden" and isinstance(given, Mapping):
        for key in given:
            inner: ErrorDetails = {**error, "loc": (*error["loc"], key), "input": given[key]}
            if dotted(_names(_real(inner["loc"], tree))) in INSTEAD:
                known = True
                yield _problem(inner, tree)
    if not known:
        yield _problem(error, tree)


def _names(path: Path) -> Path:
    return tuple(part for part in path if isinstance(part, str))


def _problem(error: ErrorDetails, tree: CommentedMap) -> Problem:
    path = _real(error["loc"], tree)
    where = dotted(path)
    allowed = _allowed(error, path)
    match error["type"]:
        case "extra_forbidden":
            said = _unknown(path, _kind_of_login(tree))
        case "missing" | "union_tag_not_found":
            name = error.get("ctx", {}).get("discriminator", "'kind'").strip("'")
            if error["type"] == "union_tag_not_found":
                path, where = (*path, name), f"{where}.{name}"
            said = f"is missing. Add it: {allowed}."
        case _:
            value = (
                str(error["ctx"]["tag"]) if error["type"] == "union_tag_invalid" else error["input"]
            )
            if error["type"] == "union_tag_invalid":
                path, where = (*path, "kind"), f"{where}.kind"
            said = f"is {_shown(value)}. Allowed: {allowed}.{_near(value, error)}"
    return Problem(line_of(tree, path), where, said)


def _real(loc: Sequence[str | int], tree: Any) -> Path:
    """Return the place without the names of union members and of keys' own checks."""
    path: list[str | int] = []
    here = tree
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        inside = isinstance(here, Mapping) and part in here
        if inside or (isinstance(here, list) and isinstance(part, int)):
            path.append(part)
            here = here[part]
        elif last and part != "[key]" and part not in _KINDS:
            path.append(part)
    return tuple(path)


def _kind_of_login(tree: CommentedMap) -> str | None:
    login = tree.get("login")
    return login.get("kind") if isinstance(login, Mapping) else None


def _unknown(path: Path, kind: str | None) -> str:
    instead = instead_of(dotted(_names(path)))
    if instead is not None:
        return f"is a key of Zero to JupyterHub that is not used here: {instead}."
    known = known_keys(path[:-1], kind)
    near = get_close_matches(str(path[-1]), known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"is not known. Allowed: {', '.join(known)}.{hint}"


def _allowed(error: ErrorDetails, path: Path) -> str:
    ctx = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return _description(path) or "it has no default"
        case "union_tag_not_found":
            return f"one of {', '.join(_KINDS)}"
        case "union_tag_invalid":
            return ", ".join(_KINDS)
        case "value_error":
            return str(ctx["error"])
        case "literal_error":
            return str(ctx["expected"])
        case "greater_than_equal" | "greater_than":
            least = "at least" if error["type"] == "greater_than_equal" else "more than"
            return f"{least} {_number(ctx.get('ge', ctx.get('gt')))}"
        case "less_than_equal":
            return f"at most {_number(ctx['le'])}"
        case "string_pattern_mismatch":
            return IN_WORDS.get(ctx["pattern"], f"text like {ctx['pattern']}")
        case "string_too_short" | "too_short":
            return "one that is not empty"
        case "string_too_long" | "too_long":
            return f"at most {ctx['max_length']}"
        case kind:
            return _TYPES.get(kind, error["msg"])


_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true, false",
    "string_type": "text; put it in quotes if it looks like a number",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_KINDS = tuple(
    get_args(kind.model_fields["kind"].annotation)[0]
    for kind in get_args(get_args(get_args(Document.model_fields["login"].annotation)[0])[0])
)
"""The kinds of login."""


def _near(value: object, error: ErrorDetails) -> str:
    choices: Sequence[str] = ()
    if error["type"] == "union_tag_invalid":
        choices = _KINDS
    elif error["type"] == "string_pattern_mismatch":
        choices = (
            [str(value).strip().lower()]
            if re.match(error["ctx"]["pattern"], str(value).strip().lower())
            else []
        )
    elif error["type"] == "literal_error":
        choices = [
            one.strip("' ") for one in str(error["ctx"]["expected"]).replace(" or ", ",").split(",")
        ]
    elif error["type"] == "bool_type" and isinstance(value, str):
        choices = {"yes": ("true",), "on": ("true",), "no": ("false",), "off": ("false",)}.get(
            value.lower(), ()
        )
        return f" Did you mean {choices[0]!r}?" if choices else ""
    elif error["type"] == "value_error" and str(error["ctx"]["error"]) == sizes.ALLOWED:
        # As Kubernetes and people write them: 1Gi, 2 GB, 512m.
        text = str(value).replace(" ", "").upper().removesuffix("B").removesuffix("I")
        try:
            sizes.memory_bytes(text)
        except ValueError:
            return ""
        return f" Did you mean {text!r}?"
    near = get_close_matches(str(value), choices, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def known_keys(path: Path, kind: str | None = None) -> list[str]:
    """Return the keys that the part at `path` may have, as the text writes them.

    Of a login, those of its `kind`; without one, those of all kinds.
    """
    of_kind = [m for m in _models(path) if kind in get_args(_annotation(m, "kind"))]
    models = of_kind or _models(path)
    names = [field.alias or name for m in models for name, field in m.model_fields.items()]
    return list(dict.fromkeys(names))


def _annotation(model: type[BaseModel], field: str) -> Any:
    return model.model_fields[field].annotation if field in model.model_fields else None


def _description(path: Path) -> str:
    for model in _models(path[:-1]):
        for name, field in model.model_fields.items():
            if path[-1] in (name, field.alias):
                return (field.description or "").rstrip(".")
    return ""


def _models(path: Path) -> list[type[BaseModel]]:
    """Return the models of the part at `path`; several for a login, whose kind decides."""
    here: list[type[BaseModel]] = [Document]
    for part in path:
        if isinstance(part, int):
            continue
        inner = [
            model
            for outer in here
            for name, field in outer.model_fields.items()
            if part in (name, field.alias)
            for model in _models_in(field.annotation)
        ]
        # A name of one's own, as of an image in extraImages, stands for its mapping's values.
        here = inner or here
    return here


def _models_in(annotation: Any) -> tuple[type[BaseModel], ...]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for argument in get_args(annotation) for model in _models_in(argument))
