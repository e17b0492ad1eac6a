"""AWS::Lambda::Function with all its properties: moto drops Layers and more.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
"""

# ruff: noqa: ARG001  # the signatures are moto's

import base64
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends


def _spec(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties as CreateFunction takes them."""
    spec = {**properties, "FunctionName": name}
    spec["Tags"] = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    code = dict(properties["Code"])
    if "ZipFile" in code:  # in a template: the source of index.py
        archive = LambdaFunction._create_zipfile_from_plaintext_code(code["ZipFile"])
        code["ZipFile"] = base64.b64encode(archive)
    spec["Code"] = code
    return spec


def install() -> None:
    """Create with every property, and update to exactly what the template says."""

    def create(
        cls: type[LambdaFunction],
        /,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> LambdaFunction:
        spec = _spec(resource_name, cloudformation_json["Properties"])
        return lambda_backends[account_id][region_name].create_function(spec)

    def update(
        cls: type[LambdaFunction],
        /,
        original_resource: LambdaFunction,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> LambdaFunction:
        function = original_resource
        spec = _spec(function.function_name, cloudformation_json["Properties"])
        fresh = LambdaFunction(account_id, spec, region_name, version=function.version)
        kept = ("policy", "url_config", "event_invoke_config", "function_arn")
        function.__dict__.update(
            {name: value for name, value in fresh.__dict__.items() if name not in kept}
        )
        return function

    LambdaFunction.create_from_cloudformation_json = classmethod(create)
    LambdaFunction.update_from_cloudformation_json = classmethod(update)
