"""AWS::Lambda::LayerVersion with an id: its ARN, which Ref returns.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-layerversion.html
"""

from moto.awslambda.models import LayerVersion, lambda_backends


def install() -> None:
    """Give moto's layers an id, and the way to delete one."""

    def delete(layer: LayerVersion, account_id: str, region_name: str) -> None:
        lambda_backends[account_id][region_name].delete_layer_version(
            layer.name, str(layer.version)
        )

    LayerVersion.physical_resource_id = property(lambda layer: layer.arn)
    LayerVersion.delete = delete
