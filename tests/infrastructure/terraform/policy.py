"""`aws_iam_policy_document` as the provider writes it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def document(config: Mapping[str, Any]) -> str:
    """The JSON of a policy document: sources, then its statements; of a Sid the last counts."""
    statements: list[dict[str, Any]] = []
    for text in config.get("source_policy_documents") or []:
        statements = _merged(statements, json.loads(text)["Statement"])
    own = [_statement(each) for each in config.get("statement") or []]
    statements = _merged(statements, own)
    for text in config.get("override_policy_documents") or []:
        statements = _merged(statements, json.loads(text)["Statement"])
    written: dict[str, Any] = {"Version": config.get("version") or "2012-10-17"}
    if config.get("policy_id"):
        written["Id"] = config["policy_id"]
    return json.dumps({**written, "Statement": statements}, indent=2)


def _merged(
    statements: Sequence[dict[str, Any]], more: Sequence[dict[str, Any]] | dict[str, Any]
) -> list[dict[str, Any]]:
    added = [more] if isinstance(more, dict) else more
    replaced = {each["Sid"] for each in added if each.get("Sid")}
    return [each for each in statements if each.get("Sid") not in replaced] + list(added)


def _statement(block: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if block.get("sid"):
        written["Sid"] = block["sid"]
    written["Effect"] = block.get("effect") or "Allow"
    for attribute, key in (
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ):
        if block.get(attribute):
            written[key] = _one_or_many(sorted(block[attribute]))
    for attribute, key in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        if block.get(attribute):
            written[key] = _principals(block[attribute])
    conditions: dict[str, dict[str, Any]] = {}
    for each in block.get("condition") or []:
        test = conditions.setdefault(each["test"], {})
        test[each["variable"]] = _one_or_many(list(each["values"]))
    if conditions:
        written["Condition"] = conditions
    return written


def _principals(blocks: Sequence[Mapping[str, Any]]) -> Any:
    found: dict[str, list[str]] = {}
    for each in blocks:
        found.setdefault(each["type"], []).extend(each["identifiers"])
    if found == {"*": ["*"]}:
        return "*"
    return {kind: _one_or_many(sorted(names)) for kind, names in found.items()}


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
