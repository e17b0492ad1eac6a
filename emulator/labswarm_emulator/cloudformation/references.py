"""The references of a template's resources, and the order that follows from them."""

import re
from collections.abc import Mapping
from typing import Any

_IN_SUB = re.compile(r"\$\{([^!.}][^.}]*)")


def references(definition: Any) -> set[str]:
    """The logical names in Ref, Fn::GetAtt, Fn::Sub and DependsOn, parameters among them."""
    found: set[str] = set()
    if isinstance(definition, list):
        for item in definition:
            found |= references(item)
    elif isinstance(definition, Mapping):
        for key, value in definition.items():
            if key in ("Ref", "DependsOn"):
                found |= {value} if isinstance(value, str) else set(value)
            elif key == "Fn::GetAtt":
                found.add(value.split(".")[0] if isinstance(value, str) else value[0])
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                found |= set(_IN_SUB.findall(text)) | references(value)
            else:
                found |= references(value)
    return found


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """The names of `resources`, each after those that it refers to."""
    ordered: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen or name not in resources:
            return
        seen.add(name)
        for dependency in sorted(references(resources[name])):
            visit(dependency)
        ordered.append(name)

    for name in resources:
        visit(name)
    return ordered
