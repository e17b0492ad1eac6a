"""Has the hub's machine remove students' services that the hub does not know, by their ids."""

from dataclasses import dataclass
from typing import Any

import boto3

from labswarm.aws.dynamodb.hub_slots import DynamoSlots
from labswarm.aws.environment import AWS, required
from labswarm.aws.observability import logger
from labswarm.aws.ssm import SsmAgent, SsmClusters
from labswarm.clock import WallClock
from labswarm.commands.steps import once
from labswarm.errors import BadInput

PATIENCE_S = 45
DOCUMENT = "labswarm-manager-mend"


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    ledger_table: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(ledger_table=required("LEDGER_TABLE"))


ENVIRONMENT = Environment.from_env()
SSM = boto3.client("ssm", config=AWS)
CLUSTERS = SsmClusters(SSM)
AGENT = SsmAgent(SSM)
SLOTS = DynamoSlots(boto3.client("dynamodb", config=AWS), ENVIRONMENT.ledger_table)
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"cluster", "services": [<service id>, ...]}` -> `{"removed": [...], "kept": [...]}`.

    Kept are services that the hub knows (by now).
    """
    cluster = CLUSTERS.read(str(event.get("cluster")))
    services = event.get("services")
    if not isinstance(services, list) or not services:
        raise BadInput("services", f"is {services!r}; it has to be a list of service ids")
    command = (cluster.manager, DOCUMENT, {"Services": ",".join(services)})
    answer = once(AGENT, SLOTS, CLOCK, command, f"{cluster.name} reconcile services", PATIENCE_S)
    logger.info("mended", extra={"cluster": cluster.name, "answer": answer})
    return answer
