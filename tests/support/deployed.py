"""The template as CloudFormation has it, after SAM's transformation: resources, roles, grants.

A text that the template cannot say beforehand is "*".
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from labswarm.names import DEFAULT
from tests.simulation.template import with_names

REGION, ACCOUNT = "eu-west-1", "123456789012"
_PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
_BUILT = ("CodeUri", "DefinitionUri", "ContentUri")
# With a VPC, which is the larger of the two ways to deploy.
_PARAMETERS = {"ChefSubnets": "subnet-1", "ChefSecurityGroups": "sg-1"}
_ARNS = {
    "AWS::Lambda::Function": ("FunctionName", "lambda", "function:{}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb", "table/{}"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "states", "stateMachine:{}"),
    "AWS::SNS::Topic": ("TopicName", "sns", "{}"),
    "AWS::SQS::Queue": ("QueueName", "sqs", "{}"),
    "AWS::Events::Rule": ("Name", "events", "rule/{}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs", "log-group:{}:*"),
}
# The value of `Ref` for a resource, if it is not its name.
_REF_IS_ARN = ("AWS::StepFunctions::StateMachine", "AWS::SNS::Topic")


def arn(service: str, what: str) -> str:
    """An ARN of this account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{what}"


@dataclass(frozen=True)
class Grant:
    """One action on one resource that a policy allows."""

    action: str
    resource: str
    condition: Mapping[str, Any] = field(default_factory=dict, hash=False)


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


class Deployed:
    """One template's resources."""

    def __init__(self, text: str, **parameters: str) -> None:
        template = yaml_parse(with_names(text, parameters.get("Prefix", DEFAULT)))
        self.sources: dict[str, Path] = {}
        for name, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            for key in filter(properties.__contains__, _BUILT):
                self.sources[name] = Path(properties[key])
                properties[key] = "s3://built/it"
        os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator wants to know
        made = transform(template, {**_PARAMETERS, **parameters}, _NoManagedPolicies())
        self._defaults = {n: p.get("Default", "*") for n, p in made["Parameters"].items()}
        self.resources: dict[str, dict[str, Any]] = made["Resources"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of every resource of a type, by its name in the template."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def text(self, value: Any) -> str:
        """The result of a value with intrinsic functions. Raises ValueError for an unknown one."""
        match value:
            case str():
                return value
            case {"Ref": str(name)}:
                return self._ref(name)
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return self._arn(name)
            case {"Fn::Sub": str(pattern)}:
                return self._substituted(pattern, {})
            case {"Fn::Sub": [str(pattern), dict(given)]}:
                return self._substituted(pattern, given)
            case {"Fn::Join": [str(between), list(parts)]}:
                return between.join(map(self.text, parts))
        raise ValueError(f"{value!r} is not read here")

    def grants(self, role: str) -> list[Grant]:
        """The permissions of a role's own policies, and of those attached to it here."""
        documents = [p["PolicyDocument"] for p in self._role(role).get("Policies", [])]
        for kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):  # as a connector makes them
            documents += [
                policy["PolicyDocument"]
                for policy in self.of_type(kind).values()
                if {"Ref": role} in policy.get("Roles", [])
            ]
        documents += [
            self.resources[policy["Ref"]]["Properties"]["PolicyDocument"]
            for policy in self._attached(role)
            if _is_ours(policy)
        ]
        return [grant for document in documents for grant in self.allowed(document)]

    def managed(self, role: str) -> set[str]:
        """The names of AWS's own policies on a role."""
        found = [policy for policy in self._attached(role) if not _is_ours(policy)]
        return {self.text(policy).rpartition("/")[2] for policy in found}

    def _attached(self, role: str) -> list[Any]:
        """The policies, in the case of each condition that attaches more."""
        policies: list[Any] = self._role(role).get("ManagedPolicyArns", [])
        chosen = [p["Fn::If"][1] if isinstance(p, dict) and "Fn::If" in p else p for p in policies]
        return [policy for policy in chosen if policy != {"Ref": "AWS::NoValue"}]

    def allowed(self, document: Mapping[str, Any]) -> Iterator[Grant]:
        """Every action and resource of a policy's statements, which all have to allow."""
        for statement in document["Statement"]:
            if statement["Effect"] != "Allow" or not {"Action", "Resource"} <= statement.keys():
                raise ValueError(f"{statement!r} is not read here")
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    yield Grant(action, self.text(resource), statement.get("Condition", {}))

    def role_of(self, arn_of_role: Any) -> str:
        """The role that a resource's RoleArn or Role names."""
        match arn_of_role:
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return name
        raise ValueError(f"{arn_of_role!r} is no role of the template")

    def _role(self, role: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.resources[role]["Properties"]
        return properties

    def _ref(self, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._defaults:
            return str(self._defaults[name])
        resource = self.resources[name]
        if resource["Type"] in _REF_IS_ARN:
            return self._arn(name)
        key = _ARNS.get(resource["Type"], ("Name",))[0]
        return str(resource["Properties"].get(key, "*"))

    def _arn(self, name: str) -> str:
        key, service, what = _ARNS[self.resources[name]["Type"]]
        properties = self.resources[name].get("Properties", {})
        return arn(service, what.format(properties.get(key, f"*{name}*")))

    def _substituted(self, pattern: str, given: Mapping[str, Any]) -> str:
        def value(match: re.Match[str]) -> str:
            name, _, attribute = match.group(1).partition(".")
            if name in given:
                return self.text(given[name])
            return self._arn(name) if attribute == "Arn" else self._ref(name)

        return re.sub(r"\$\{([^}]+)\}", value, pattern)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_ours(policy: Any) -> bool:
    """Whether this policy on a role is a resource of the template, and none of AWS's own."""
    return isinstance(policy, dict) and "Ref" in policy
