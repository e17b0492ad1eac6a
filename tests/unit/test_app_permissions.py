"""Each function may do what it calls, and nothing else: its policy against its adapters' calls."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from test_statemachines import FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "labswarm" / "labswarm"
# What each method of an adapter calls, by IAM action.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
ADAPTERS = {
    "SsmAgent": {
        "online": "ssm:DescribeInstanceInformation",
        "all_online": "ssm:DescribeInstanceInformation",
        "send": "ssm:SendCommand",
        "find": "ssm:ListCommands",
        "invocation": "ssm:GetCommandInvocation",
    },
    "SsmClusters": {
        "read": "ssm:GetParameter",
        "names": "ssm:GetParametersByPath",
        "of_hub": "ssm:GetParametersByPath",
    },
    "DynamoLedger": {
        "read": "dynamodb:GetItem",
        "write": "dynamodb:PutItem",
        "about": "dynamodb:BatchGetItem",
        "bury": "dynamodb:PutItem",
        "is_buried": "dynamodb:GetItem",
    },
    "AutoScalingHooks": {
        "timeout_s": "autoscaling:DescribeLifecycleHooks",
        "heartbeat": "autoscaling:RecordLifecycleActionHeartbeat",
        "complete": "autoscaling:CompleteLifecycleAction",
    },
    "AutoScalingGroups": {
        "member": "autoscaling:DescribeAutoScalingInstances",
        "size": "autoscaling:DescribeAutoScalingGroups",
        "roster": "autoscaling:DescribeAutoScalingGroups",
        "resize": "autoscaling:SetDesiredCapacity",
        "terminate": "autoscaling:TerminateInstanceInAutoScalingGroup",
        "view": "autoscaling:DescribeAutoScalingGroups",
        "shrink": "autoscaling:TerminateInstanceInAutoScalingGroup",
    },
    "DynamoSlots": {"take": "dynamodb:PutItem", "give_back": "dynamodb:PutItem"},
    "DynamoBreakers": {
        "read": "dynamodb:GetItem",
        "failed": "dynamodb:UpdateItem",
        "joined": "dynamodb:UpdateItem",
    },
    "DynamoSnapshots": {"read": "dynamodb:GetItem", "write": "dynamodb:PutItem"},
    "DynamoPasses": {"read": "dynamodb:GetItem", "write": "dynamodb:PutItem"},
    "Executions": {"runs": "states:DescribeExecution", "start": "states:StartExecution"},
    "DynamoNotebook": {"read": "dynamodb:GetItem", "write": "dynamodb:PutItem"},
    "DynamoLaunches": {"durations_s": "dynamodb:Scan"},
    "SsmAndWebFeeds": {"read": "ssm:GetParameter"},
    "SnsAlarms": {"tell": "sns:Publish"},
    "KmsSigner": {"sign": "kms:Sign"},
}
USES = {
    "claim": ["SsmClusters.read", "DynamoLedger.read", "DynamoLedger.write", "DynamoLedger.bury",
              "AutoScalingHooks.timeout_s", "AutoScalingGroups.member", "Executions.runs"],
    "await_agent": ["SsmAgent.online"],
    "command": ["SsmClusters.read", "DynamoLedger.read", "DynamoLedger.write", "SsmAgent.send",
                "SsmAgent.find", "SsmAgent.invocation",
                "DynamoSlots.take", "DynamoSlots.give_back"],
    "register_chef_client": ["SsmClusters.read", "KmsSigner.sign"],
    "remove_chef_identity": ["SsmClusters.read", "KmsSigner.sign"],
    "complete": ["DynamoLedger.read", "DynamoLedger.write", "DynamoLedger.is_buried",
                 "DynamoBreakers.failed", "DynamoBreakers.joined", "AutoScalingHooks.complete",
                 "AutoScalingGroups.member", "AutoScalingGroups.shrink"],
    "last_resort": ["DynamoLedger.read", "DynamoLedger.write", "DynamoLedger.is_buried",
                    "DynamoBreakers.failed", "DynamoBreakers.joined", "AutoScalingHooks.complete",
                    "AutoScalingGroups.member", "AutoScalingGroups.shrink"],
    "heartbeat": ["SsmClusters.names", "AutoScalingGroups.roster", "DynamoLedger.about",
                  "AutoScalingHooks.heartbeat"],
    "add_node": ["DynamoLedger.read", "DynamoLedger.write", "AutoScalingGroups.size",
                 "AutoScalingGroups.resize"],
    "list_clusters": ["SsmClusters.names", "AutoScalingGroups.roster", "DynamoPasses.read"],
    "list_chef_identities": ["SsmClusters.read", "KmsSigner.sign"],
    "compare_sides": ["SsmClusters.read", "SsmAgent.all_online", "AutoScalingGroups.roster",
                      "DynamoLedger.about", "DynamoSnapshots.read", "DynamoPasses.read",
                      "DynamoPasses.write"],
    "forget_swarm_nodes": ["SsmClusters.read", "SsmAgent.send", "SsmAgent.invocation",
                           "DynamoSlots.take", "DynamoSlots.give_back"],
    "remove_chef_orphans": ["SsmClusters.read", "KmsSigner.sign"],
    "replace_instances": ["AutoScalingGroups.member", "AutoScalingGroups.terminate"],
    "decide_nodes": ["SsmClusters.read", "SsmClusters.names", "AutoScalingGroups.view",
                     "DynamoSnapshots.read", "DynamoNotebook.read", "DynamoNotebook.write",
                     "DynamoLaunches.durations_s", "DynamoLedger.about", "SnsAlarms.tell",
                     "DynamoBreakers.read",
                     "SsmAndWebFeeds.read", "Executions.start"],
    "change_size": ["SsmClusters.read", "SsmAgent.send", "SsmAgent.invocation",
                    "DynamoSlots.take", "DynamoSlots.give_back",
                    "AutoScalingGroups.member", "AutoScalingGroups.size",
                    "AutoScalingGroups.resize", "AutoScalingGroups.shrink"],
}  # fmt: skip


def folder(function: dict[str, Any]) -> str:
    return Path(function["Properties"]["CodeUri"]).name


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    return [s for policy in function["Properties"]["Policies"] for s in policy["Statement"]]


def actions(statement: dict[str, Any]) -> set[str]:
    action = statement["Action"]
    return {action} if isinstance(action, str) else set(action)


def called(method: ast.FunctionDef, own: dict[str, ast.FunctionDef]) -> set[str]:
    """The operations that a method calls on its client, itself or through its own methods."""
    found: set[str] = set()
    for node in ast.walk(method):
        if not isinstance(node, ast.Call):
            continue
        text = ast.unparse(node.func)
        if match := re.fullmatch(r"self\._client\.(\w+)", text):
            name = match.group(1)
            if name == "get_paginator":
                name = str(ast.literal_eval(node.args[0]))
            found.add(name.replace("_", ""))
        elif match := re.fullmatch(r"self\.(_\w+)", text):
            found |= called(own[match.group(1)], own)
    return found


CLASSES = {
    node.name: {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
    for path in LAYER.glob("*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.ClassDef) and node.name in ADAPTERS
}


@pytest.mark.parametrize(
    ("adapter", "method"),
    [(a, m) for a, methods in ADAPTERS.items() for m in methods if a != "KmsSigner"],
)
def test_the_table_says_what_an_adapter_calls(adapter: str, method: str) -> None:
    operation = ADAPTERS[adapter][method].split(":")[1].lower()

    assert called(CLASSES[adapter][method], CLASSES[adapter]) == {operation}


@pytest.mark.parametrize("name", sorted(USES))
def test_the_table_names_the_adapters_that_a_function_imports(name: str) -> None:
    imported = {
        alias.name
        for node in ast.walk(ast.parse((ROOT / "functions" / name / "app.py").read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert {use.split(".")[0] for use in USES[name]} == imported & set(ADAPTERS)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=folder)
def test_a_function_may_do_what_it_calls_and_nothing_else(function: dict[str, Any]) -> None:
    allowed: set[str] = set().union(*map(actions, statements(function)))

    needed = {ADAPTERS[a][m] for a, m in (use.split(".") for use in USES[folder(function)])}

    assert allowed == needed


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=folder)
def test_only_what_knows_no_resource_is_allowed_on_all(function: dict[str, Any]) -> None:
    everywhere: set[str] = set().union(
        *(actions(s) for s in statements(function) if s["Resource"] == "*")
    )

    assert everywhere <= {
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLifecycleHooks",
        "ssm:DescribeInstanceInformation",
        "ssm:GetCommandInvocation",
        "ssm:ListCommands",
    }


def test_commands_are_ours_and_go_to_our_instances_as_two_statements() -> None:
    command = next(f for f in FUNCTIONS.values() if folder(f) == "command")
    documents, instances = [s for s in statements(command) if actions(s) == {"ssm:SendCommand"}]

    # Not labswarm-chef-*: Terraform's, which back up and replace the Chef Server.
    assert [each.rpartition(":")[2] for each in documents["Resource"]] == [
        "document/labswarm-node-*",
        "document/labswarm-manager-*",
    ]
    assert "Condition" not in documents
    assert instances["Resource"].endswith(":instance/*")
    assert "ssm:resourceTag/labswarm:role" in instances["Condition"]["StringEquals"]
