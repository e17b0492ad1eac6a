"""LabHoursState in DynamoDB: an item per cluster."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import named
from labswarm.lab_hours.state import LabHoursState
from labswarm.names import app_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = app_name("lab-hours")
"""The table's name in the template."""


class DynamoLabHoursStates:
    """Implements labswarm.lab_hours.state.LabHoursStates."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read_state(self, cluster: str) -> LabHoursState:
        with named():
            answer = self._client.get_item(
                TableName=self._table, Key={"cluster": {"S": cluster}}, ConsistentRead=True
            )
        return (
            LabHoursState.parse(answer["Item"]["notes"]["S"])
            if "Item" in answer
            else LabHoursState()
        )

    def write_state(self, cluster: str, state: LabHoursState) -> None:
        item = {"cluster": {"S": cluster}, "notes": {"S": state.to_json()}}
        with named():
            self._client.put_item(TableName=self._table, Item=item)
