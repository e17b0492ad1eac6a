"""The reference page and the JSON Schema of the hub's document, from its models.

`python -m tests.support.document_page` writes both again.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labswarm.document.login import KINDS
from labswarm.document.model import IN_WORDS, Document
from labswarm.document.refused import INSTEAD

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/hub-document.md"
SCHEMA = ROOT / "docs/reference/hub-document.schema.json"
HEAD = """\
# The hub's document

One YAML text per hub has the settings that its admins change. Read and change it with
[`labswarm hub`](command.md#labswarm-hub). Every key is optional. Without a key, the cluster's own
value counts, as Terraform and the cookbook gave it.

Keys that Zero to JupyterHub has too mean the same here. This page and the
[JSON Schema](hub-document.schema.json) are generated from the checks themselves. An editor that
knows YAML schemas completes the keys when the text begins with this line:

```yaml
# yaml-language-server: $schema=hub-document.schema.json
```

Memory is a number of bytes, or a number with K, M, G or T (powers of 1,024), such as 1.5G. CPU is
in cores, times are in seconds.
"""
FOLDERS = """
## Folders of a class

`singleuser.storage.extraVolumeMounts` makes folders next to the homes, the same on all nodes.
[How to share files with a class](../how-to/change-a-hub.md#share-files-with-a-class) has an example
of each kind.

| person | `readOnly: false` | `readOnly: true` |
|---|---|---|
| admin, or member of a group in `writers` | writes | writes |
| member of a group in `readers`, or anybody without `readers` | writes | reads |
| anybody else | has no such folder | has no such folder |
"""
LOGIN_HEAD = """
## Logins

`login` has a `kind`, and the keys of that kind. A secret's value never stands in the document: the
key names a secret in Secrets Manager.
"""
INSTEAD_HEAD = """
## Keys of Zero to JupyterHub that are refused

| key | instead |
|---|---|
"""


def schema() -> str:
    """Return the JSON Schema as its file has it."""
    made = _untitled(Document.model_json_schema(by_alias=True))
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "labswarm hub",
    } | made
    return json.dumps(made, indent=1) + "\n"


def page() -> str:
    """Return the page as its file has it."""
    document = Document.model_json_schema(by_alias=True)
    rows = [row for row in _rows(document, document, "") if not row[0].startswith("login")]
    text = HEAD + "\n## Keys\n\n| key | value | meaning |\n|---|---|---|\n"
    text += "".join(f"| `{key}` | {value} | {meaning} |\n" for key, value, meaning in rows)
    text += FOLDERS
    text += LOGIN_HEAD
    for kind in KINDS:
        made = kind.model_json_schema(by_alias=True)
        name = made["properties"]["kind"]["const"]
        doc = (kind.__doc__ or "").split("\n\n")[0].rstrip()
        text += f"\n### `kind: {name}`\n\n{doc}\n\n| key | value | meaning |\n|---|---|---|\n"
        required = made.get("required", ())
        for key, value, meaning in _rows(made, made, ""):
            if key != "kind":
                needed = " Required." if key in required else ""
                text += f"| `{key}` | {value} | {meaning}{needed} |\n"
    text += INSTEAD_HEAD
    return text + "".join(f"| `{key}` | {said} |\n" for key, said in sorted(INSTEAD.items()))


def _rows(
    root: Mapping[str, Any], part: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str, str]]:
    for name, field in part["properties"].items():
        key, inner, value = f"{path}{name}", _inner(root, field), _value(root, field)
        if inner is not None and "properties" in inner:
            if value != "mapping":
                yield key, value, field.get("description", "")
            yield from _rows(root, inner, f"{key}{_SUFFIX.get(value, '')}.")
        else:
            default = field.get("default")
            said = field.get("description", "")
            if default not in (None, False):
                said += f" [default: {default}]"
            yield key, value, said


_SUFFIX = {"list": "[]", "mapping by name": ".NAME"}


def _inner(root: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for one in _members(root, field):
        if "properties" in one:
            return one
        for nested in (
            one.get("items"),
            one.get("additionalProperties"),
            *one.get("patternProperties", {}).values(),
        ):
            if isinstance(nested, Mapping) and (found := _inner(root, nested)):
                return found
    return None


def _value(root: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    said = [_said(one) for one in _members(root, field) if one.get("type") != "null"]
    return " or ".join(dict.fromkeys(said))


def _said(one: Mapping[str, Any]) -> str:
    if one.get("pattern") == r"^\d+(\.\d+)?[KMGT]$":
        return "size"
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "const" in one:
        return f"`{one['const']}`"
    if "pattern" in one:
        return IN_WORDS.get(one["pattern"], "text")
    kind = one.get("type", "mapping")
    bounds = [
        said.format(one[name])
        for name, said in (
            ("minimum", "at least {}"),
            ("exclusiveMinimum", "more than {}"),
            ("maximum", "at most {}"),
        )
        if name in one
    ]
    plain = {
        "integer": "whole number", "number": "number", "string": "text", "boolean": "true, false",
        "array": "list",
    }.get(kind, "mapping")  # fmt: skip
    if kind == "object" and "properties" not in one:
        plain = "mapping by name"
    return ", ".join([plain, *bounds])


def _members(root: Mapping[str, Any], field: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for one in field.get("anyOf") or field.get("oneOf") or [field]:
        found = one
        if "$ref" in one:
            found = root["$defs"][one["$ref"].rpartition("/")[2]]
        if "anyOf" in found or "oneOf" in found:
            yield from _members(root, found)
        else:
            yield found


def _untitled(value: Any) -> Any:
    """Without the titles, which only repeat the names."""
    if isinstance(value, Mapping):
        return {
            name: _untitled(one)
            for name, one in value.items()
            if not (name == "title" and isinstance(one, str))
        }
    return [_untitled(one) for one in value] if isinstance(value, list) else value


def main() -> int:
    """Write both files."""
    PAGE.write_text(page())
    SCHEMA.write_text(schema())
    return 0


if __name__ == "__main__":
    sys.exit(main())
