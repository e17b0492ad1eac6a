"""Updates in place of resources with data, AWS::DynamoDB::Table and AWS::Logs::LogGroup.

moto has no update of them; a new one in their place would be empty.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
"""

# ruff: noqa: ARG001  # the signatures are moto's

from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.dynamodb.models import Table, dynamodb_backends
from moto.logs.models import LogGroup


def _settings(table: Table, given: dict[str, Any], account_id: str, region_name: str) -> None:
    """Time to live and point-in-time recovery, which moto's creation leaves out too."""
    backend = dynamodb_backends[account_id][region_name]
    if ttl := given.get("TimeToLiveSpecification"):
        backend.update_time_to_live(table.name, ttl)
    if recovery := given.get("PointInTimeRecoverySpecification"):
        backend.update_continuous_backups(table.name, recovery)


def install() -> None:
    """Give both an update."""
    create = Table.create_from_cloudformation_json.__func__

    def create_table(
        cls: type[Table],
        /,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> Table:
        table = create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
        _settings(table, cloudformation_json["Properties"], account_id, region_name)
        return table

    def update_table(
        cls: type[Table],
        /,
        original_resource: Table,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Table:
        given = cloudformation_json["Properties"]
        if given["KeySchema"] != original_resource.schema:
            raise ValidationError(
                message="CloudFormation cannot update a stack when a custom-named resource "
                f"requires replacing. Rename {original_resource.name} and update the stack again."
            )
        _settings(original_resource, given, account_id, region_name)
        return original_resource

    def update_group(
        cls: type[LogGroup],
        /,
        original_resource: LogGroup,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> LogGroup:
        retention = cloudformation_json["Properties"].get("RetentionInDays")
        original_resource.set_retention_policy(retention)
        return original_resource

    Table.create_from_cloudformation_json = classmethod(create_table)
    Table.update_from_cloudformation_json = classmethod(update_table)
    LogGroup.update_from_cloudformation_json = classmethod(update_group)
