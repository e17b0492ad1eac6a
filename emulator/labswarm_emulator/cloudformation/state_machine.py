"""AWS::StepFunctions::StateMachine from a file: DefinitionS3Location and DefinitionSubstitutions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
"""

# ruff: noqa: ARG001  # the signatures are moto's

import json
import re
from typing import Any

import moto.stepfunctions.models
import yaml
from moto.cloudformation.exceptions import ValidationError
from moto.s3.models import s3_backends
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from labswarm_emulator.cloudformation.aliases import refuse_in_definition


def definition(properties: dict[str, Any], account_id: str) -> str:
    """Return the machine's definition as JSON, with `${name}` replaced by its substitution.

    Only a file may be YAML. Raises ValidationError for a file that is not there, is no YAML or has
    YAML aliases.
    """
    if "DefinitionS3Location" in properties:
        location = properties["DefinitionS3Location"]
        where = f"s3://{location['Bucket']}/{location['Key']}"
        key = s3_backends[account_id]["aws"].get_object(location["Bucket"], location["Key"])
        if key is None:
            raise ValidationError(message=f"DefinitionS3Location does not exist: {where}")
        return _from_file(_substituted(key.value.decode(), properties), where)
    if "Definition" in properties:
        return _substituted(json.dumps(properties["Definition"]), properties)
    return _substituted(properties.get("DefinitionString", ""), properties)


def _substituted(text: str, properties: dict[str, Any]) -> str:
    given = properties.get("DefinitionSubstitutions", {})
    return re.sub(r"\$\{(\w+)\}", lambda found: str(given.get(found[1], found[0])), text)


def _from_file(text: str, where: str) -> str:
    try:
        json.loads(text)
    except ValueError:
        refuse_in_definition(text, where)
        try:
            return json.dumps(yaml.load(text, yaml.CSafeLoader))
        except (yaml.YAMLError, TypeError) as error:
            raise ValidationError(
                message=f"The definition {where} is neither JSON nor YAML: {error}"
            ) from error
    return text


def install() -> None:
    """Give moto's resource its definition, and machines to the backend that runs them."""
    moto.stepfunctions.models.stepfunctions_backends = stepfunctions_parser_backends
    update_machine = StateMachine.update_from_cloudformation_json.__func__
    get_attribute = StateMachine.get_cfn_attribute

    def create(
        cls: type[StateMachine],
        /,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> StateMachine:
        properties = cloudformation_json["Properties"]
        return stepfunctions_parser_backends[account_id][region_name].create_state_machine(
            name=properties.get("StateMachineName", resource_name),
            definition=definition(properties, account_id),
            roleArn=properties.get("RoleArn", ""),
            tags=[{"key": t["Key"], "value": t["Value"]} for t in properties.get("Tags", [])],
            sm_type=properties.get("StateMachineType", "STANDARD"),
        )

    def update(
        cls: type[StateMachine],
        /,
        original_resource: StateMachine,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> StateMachine:
        properties = cloudformation_json["Properties"]
        given = {**properties, "DefinitionString": definition(properties, account_id)}
        resource = {**cloudformation_json, "Properties": given}
        return update_machine(
            cls, original_resource, new_resource_name, resource, account_id, region_name
        )

    def attribute(machine: StateMachine, name: str) -> Any:
        return machine.arn if name == "Arn" else get_attribute(machine, name)

    StateMachine.create_from_cloudformation_json = classmethod(create)
    StateMachine.update_from_cloudformation_json = classmethod(update)
    StateMachine.get_cfn_attribute = attribute
    has_attribute = StateMachine.has_cfn_attr
    StateMachine.has_cfn_attr = staticmethod(lambda name: name == "Arn" or has_attribute(name))
