"""The AWS::Serverless-2016-10-31 macro, and the refusal of unknown resource types.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-serverless.html
"""

import os
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import ChangeSet, Stack
from moto.cloudformation.parsing import get_model_map
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform

from labswarm_emulator.cloudformation.aliases import refuse_in_template
from labswarm_emulator.emulator import REGION

MACRO = "AWS::Serverless-2016-10-31"


class _NoManagedPolicies:
    """The translator asks this for ARNs of AWS managed policies that are given by name."""

    def load(self) -> dict[str, str]:
        return {}


def transformed(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """The template with its serverless resources expanded.

    Raises ValidationError, as CreateChangeSet does, where the macro refuses the template, and for
    resource types the emulator does not have: moto would leave those out without a word.
    """
    macros = template.get("Transform", [])
    if MACRO in (macros if isinstance(macros, list) else [macros]):
        os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator's only way to know
        try:
            template = transform(template, dict(parameters), _NoManagedPolicies())
        except InvalidDocumentException as invalid:
            raise ValidationError(message=f"Transform {MACRO} failed: {invalid.message}") from None
    known = get_model_map()
    unknown = {
        resource["Type"]
        for resource in template.get("Resources", {}).values()
        if resource["Type"] not in known and not resource["Type"].startswith("Custom::")
    }
    if unknown:
        raise ValidationError(
            message="Template format error: Resource types that the emulator does not have: "
            f"{sorted(unknown)}"
        )
    return template


def install() -> None:
    """Expand every template that moto parses for a stack or a change set."""
    parse_stack = Stack._parse_template
    parse_change_set = ChangeSet._parse_template
    make_stack = Stack.__init__

    def make(stack: Stack, **kwargs: Any) -> None:
        stack.parameters = kwargs["parameters"]  # moto sets it after it has parsed the template
        make_stack(stack, **kwargs)

    def parse_for_stack(stack: Stack) -> None:
        refuse_in_template(stack.template)
        parse_stack(stack)
        stack.template_dict = transformed(stack.template_dict, stack.parameters)

    def parse_for_change_set(change_set: ChangeSet) -> None:
        refuse_in_template(change_set.template)
        parse_change_set(change_set)
        change_set.template_dict = transformed(change_set.template_dict, change_set.parameters)

    def has_template(stack: Stack, other: str) -> bool:
        # moto would compare the expanded template with one that is not.
        return bool(stack.parse_template(stack.template) == stack.parse_template(other))

    def has_parameters(stack: Stack, other: dict[str, str]) -> bool:
        # moto would compare only the given values, so that a repeated default is a change.
        return bool({**stack.stack_parameters, **other} == stack.stack_parameters)

    Stack.__init__ = make
    Stack._parse_template = parse_for_stack
    Stack.has_template = has_template
    Stack.has_parameters = has_parameters
    ChangeSet._parse_template = parse_for_change_set
