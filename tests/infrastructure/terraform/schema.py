"""The AWS provider's schema, from the npm package that was generated from it.

`@cdktf/provider-aws` carries its TypeScript in its source maps, where an attribute has its flags:

    // launch_template_id - computed: true, optional: true, required: false
    private _launchTemplateId?: string;

Types are in each structure's `…ToHclTerraform` table. This schema lacks the same parts as the
package: defaults, which change replaces, which values are sensitive. A type is read in 2 ms:
nothing is cached.
"""

import base64
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

PACKAGE = Path(__file__).resolve().parents[1] / "node_modules" / "@cdktf" / "provider-aws"

Type = Any  # in Terraform's notation: "string", ["list", "string"], ["object", {…}]


class Flags(TypedDict):
    """The party that sets an attribute."""

    required: bool
    optional: bool
    computed: bool


class Attribute(Flags):
    """One attribute; `nested` holds the attributes of an object that may be given in part."""

    type: Type
    nested: "Block | None"


class Nested(TypedDict):
    """A block in a block. `nesting` is list, set or single; `max` 0 is without limit."""

    nesting: str
    min: int
    max: int
    block: "Block"


class Block(TypedDict):
    """The content of a resource, a data source, a provider or a block in one of these."""

    attributes: dict[str, Attribute]
    blocks: dict[str, Nested]


class Schema(TypedDict):
    """The provider's own block, and those of the resources and data sources that were asked for."""

    provider: Block
    resources: dict[str, Block]
    data: dict[str, Block]


class UnknownType(Exception):
    """The provider has no resource or data source of this type."""


@dataclass(frozen=True)
class Names:
    """Resource types and data source types."""

    resources: frozenset[str]
    data: frozenset[str]


NAMED = re.compile(r'^\s*(?:override_)?(resource|data)\s+"(aws_\w+)"', re.MULTILINE)


def names(folder: Path) -> Names:
    """The types that the Terraform files under a folder name."""
    found: dict[str, set[str]] = {"resource": set(), "data": set()}
    for file in sorted([*folder.rglob("*.tf"), *folder.rglob("*.tftest.hcl")]):
        for kind, name in NAMED.findall(file.read_text(encoding="utf-8")):
            found[kind].add(name)
    return Names(frozenset(found["resource"]), frozenset(found["data"]))


def schema(wanted: Names) -> Schema:
    """The schema of these types.

    Raises UnknownType where the provider has none of a name, FileNotFoundError without the package.
    """
    provider = _parsed("provider")
    for ours in ("alias", "id"):  # they are terraform's and the package's, not the provider's
        provider["attributes"].pop(ours, None)
    return {
        "provider": provider,
        "resources": {name: _parsed(_folder(name)) for name in sorted(wanted.resources)},
        "data": {name: _parsed(f"data-aws-{_folder(name)}") for name in sorted(wanted.data)},
    }


def _folder(name: str) -> str:
    return name.removeprefix("aws_").replace("_", "-")


def _parsed(folder: str) -> Block:
    source = PACKAGE / "lib" / folder / "index.js"
    if not source.exists():
        kind, name = (
            ("data source", folder[9:]) if folder.startswith("data-aws-") else ("resource", folder)
        )
        raise UnknownType(f"hashicorp/aws has no {kind} aws_{name.replace('-', '_')}")
    return Source(_typescript(source)).top()


def _typescript(javascript: Path) -> str:
    source_map = javascript.read_text(encoding="utf-8").rpartition("base64,")[2]
    text: str = json.loads(base64.b64decode(source_map))["sourcesContent"][0]
    return text


MEMBER = re.compile(
    r"^  // (?P<name>\w+) - computed: (?P<computed>\w+), optional: (?P<optional>\w+), "
    r"required: (?P<required>\w+)\n(?P<code>.*?)(?=^  // \w+ - computed:|^  // ===|\Z)",
    re.MULTILINE | re.DOTALL,
)
CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
INTERFACE = re.compile(r"^export interface (\w+)[^{]*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
TABLE = re.compile(
    r"^export function (\w+)ToHclTerraform\(.*?\{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
OWN_TABLE = re.compile(r"synthesizeHclAttributes\(\)(.*?)^  \}", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(
    r"^ {4,6}(\w+): \{\n\s+value: (.*?),\n\s+isBlock: (true|false),\n"
    r'\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",',
    re.MULTILINE,
)
READ = re.compile(r"get \w+\(\) \{\s*return (cdktf\.Fn\.tolist\()?this\.get(\w*)Attribute\(")
NEW = re.compile(r"= new ((?:cdktf\.)?\w+)\(this, \"\w+\"(?:, (true|false))?\)")
TOP = {"TerraformResource", "TerraformDataSource", "TerraformProvider"}

SCALARS: dict[str, Type] = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "any": "dynamic",
}


@dataclass(frozen=True)
class Entry:
    """One line of a structure's table."""

    value: str
    is_block: bool
    kind: str
    storage: str


class Source:
    """The TypeScript of one resource, data source or provider."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _classes(self) -> dict[str, tuple[str, str]]:
        return {name: (base, body) for name, base, body in CLASS.findall(self._text)}

    @cached_property
    def _interfaces(self) -> dict[str, str]:
        return dict(INTERFACE.findall(self._text))

    @cached_property
    def _tables(self) -> dict[str, dict[str, Entry]]:
        return {
            name[0].upper() + name[1:]: _entries(body) for name, body in TABLE.findall(self._text)
        }

    def top(self) -> Block:
        """The block of this source's object."""
        ((name, body),) = [
            (name, body) for name, (base, body) in self._classes.items() if base in TOP
        ]
        own = OWN_TABLE.search(body)
        table = _entries(own[1]) if own else {}
        block = self._block(body, table, self._interfaces.get(f"{name}Config", ""))
        block["attributes"].setdefault("id", _attribute("string", optional=True, computed=True))
        return block

    def _structure(self, name: str) -> Block:
        _, body = self._classes.get(f"{name}OutputReference", ("", ""))
        table = self._tables.get(name, {})
        if body:
            return self._block(body, table, self._interfaces.get(name, ""))
        # The provider's own blocks have no class: all is in table and interface.
        required = set(re.findall(r"readonly (\w+):", self._interfaces.get(name, "")))
        return {
            "attributes": {
                attribute: _attribute(
                    _table_type(entry),
                    required=_camel(attribute) in required,
                    optional=_camel(attribute) not in required,
                )
                for attribute, entry in table.items()
                if not entry.is_block
            },
            "blocks": {},
        }

    def _block(self, body: str, table: dict[str, Entry], interface: str) -> Block:
        block: Block = {"attributes": {}, "blocks": {}}
        documented_blocks = set(re.findall(r"\* (\w+) block\n", interface))
        for member in MEMBER.finditer(body):
            name = member["name"]
            flags: Flags = {
                "required": member["required"] == "true",
                "optional": member["optional"] == "true",
                "computed": member["computed"] == "true",
            }
            entry = table.get(name)
            if name in documented_blocks and entry:
                block["blocks"][name] = self._nested(entry, member["code"], flags["required"])
            else:
                block["attributes"][name] = self._member(entry, member["code"], flags)
        return block

    def _nested(self, entry: Entry, code: str, required: bool) -> Nested:
        many = "listMapper" in entry.value
        return {
            "nesting": "single" if entry.kind == "struct" else entry.kind,
            "min": int(required),
            "max": 0 if many or entry.kind == "struct" else 1,
            "block": self._structure(_structure_of(entry)),
        }

    def _member(self, entry: Entry | None, code: str, flags: Flags) -> Attribute:
        made = NEW.search(code)
        if made and not made[1].startswith("cdktf."):
            structure = re.sub(r"(OutputReference|List|Map)$", "", made[1])
            inner = self._structure(structure)
            if entry and entry.kind == "struct":
                return _attribute(_object(inner), **flags, nested=inner)
            kind = _kind_of(made[1], made[2] == "true")
            return _attribute([kind, _object(inner)] if kind else _object(inner), **flags)
        if entry:
            return _attribute(_table_type(entry), **flags)
        if made:
            return _attribute(_map_type(made[1]), **flags)
        read = READ.search(code)
        return _attribute(_read_type(read[2], bool(read[1])) if read else "string", **flags)


def _entries(body: str) -> dict[str, Entry]:
    return {
        name: Entry(value, is_block == "true", kind, storage)
        for name, value, is_block, kind, storage in ENTRY.findall(body)
    }


def _attribute(
    type_: Type,
    *,
    required: bool = False,
    optional: bool = False,
    computed: bool = False,
    nested: Block | None = None,
) -> Attribute:
    return {
        "type": type_,
        "required": required,
        "optional": optional,
        "computed": computed,
        "nested": nested,
    }


def _structure_of(entry: Entry) -> str:
    name = re.search(r"(?<![.\w])(\w+)ToHclTerraform", entry.value)
    assert name, entry
    return name[1][0].upper() + name[1][1:]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _kind_of(class_name: str, wraps_set: bool) -> str | None:
    if class_name.endswith("List"):
        return "set" if wraps_set else "list"
    return "map" if class_name.endswith("Map") else None


def _object(block: Block) -> Type:
    """The block as a type: there, blocks are attributes like all others."""
    fields = {name: attribute["type"] for name, attribute in block["attributes"].items()}
    for name, nested in block["blocks"].items():
        inner = _object(nested["block"])
        fields[name] = inner if nested["nesting"] == "single" else [nested["nesting"], inner]
    return ["object", fields]


def _table_type(entry: Entry) -> Type:
    words = re.fullmatch(r"(string|number|boolean|any)((?:List|Map)*)", entry.storage)
    if not words:
        return "dynamic"
    found = SCALARS[words[1]]
    kinds = re.findall(r"List|Map", words[2])
    if found == "dynamic" and kinds:
        found = "string"  # a collection of anything cannot be in a set, and is hardly ever meant
    for kind in kinds:
        found = ["map" if kind == "Map" else "list", found]
    if kinds and kinds[-1] == "List" and entry.kind == "set":
        found = ["set", found[1]]
    return found


def _map_type(class_name: str) -> Type:
    words = re.fullmatch(r"cdktf\.(String|Number|Boolean|Any)Map(List)?", class_name)
    if not words:
        return "dynamic"
    scalar = {"String": "string", "Number": "number", "Boolean": "bool", "Any": "string"}[words[1]]
    return ["list", ["map", scalar]] if words[2] else ["map", scalar]


def _read_type(getter: str, is_set: bool) -> Type:
    kind = "set" if is_set else "list"
    return {
        "String": "string",
        "Number": "number",
        "Boolean": "bool",
        "List": [kind, "string"],
        "NumberList": [kind, "number"],
        "StringMap": ["map", "string"],
        "NumberMap": ["map", "number"],
        "BooleanMap": ["map", "bool"],
        "AnyMap": ["map", "string"],
    }.get(getter, "string")
