"""YAML aliases, `*name`, which CloudFormation does not read.

A template with one is refused:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
In the file of a state machine CloudFormation takes the alias for the text `name`. The emulator
refuses it there as well, since nobody means that:
https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-stepfunctions
"""

import yaml
from moto.cloudformation.exceptions import ValidationError


def refuse_in_template(text: str) -> None:
    """Refuse a template with a YAML alias. Raises ValidationError."""
    if _aliases(text):
        raise ValidationError(
            message="Template error: YAML aliases are not allowed in CloudFormation templates"
        )


def refuse_in_definition(text: str, where: str) -> None:
    """Refuse a state machine's file with a YAML alias. Raises ValidationError."""
    found = _aliases(text)
    if found:
        raise ValidationError(
            message=f"The definition {where} has the YAML alias *{found[0]}, which CloudFormation "
            f"would read as the text {found[0]!r}. Write its value out."
        )


def _aliases(text: str) -> list[str]:
    """Return the names of the aliases; of a text that is no YAML, those before its error."""
    found = []
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                found.append(str(event.anchor))
    except yaml.YAMLError:
        return found  # moto parses the text next, and reports the error
    return found
