"""Decides about each cluster's size, and starts the machine that acts when there is something to
do: on the minute for all clusters, on `SeatsShort` for the one that has none left."""

from dataclasses import asdict, dataclass
from typing import Any

import boto3
import urllib3
from aws_lambda_powertools import Metrics

from labswarm.aws.alarms import SnsAlarms
from labswarm.aws.dynamodb.breaker import DynamoBreakers
from labswarm.aws.dynamodb.launches import DynamoLaunches
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.dynamodb.notes import DynamoNotebook
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.environment import AWS, required
from labswarm.aws.executions import Executions
from labswarm.aws.feed import SsmAndWebFeeds
from labswarm.aws.observability import count, logger
from labswarm.aws.ssm import SsmClusters
from labswarm.clock import WallClock
from labswarm.cluster import NAME
from labswarm.errors import BadInput, LabswarmError, Transient
from labswarm.groups import AutoScalingGroups
from labswarm.lab_hours.decide import LabHours, actions_of, execution_name


@dataclass(frozen=True)
class Environment:
    """What template.yaml tells this function."""

    ledger_table: str
    snapshots_table: str
    notes_table: str
    machine: str
    alarms_topic: str

    @classmethod
    def from_env(cls) -> "Environment":
        return cls(
            ledger_table=required("LEDGER_TABLE"),
            snapshots_table=required("SNAPSHOTS_TABLE"),
            notes_table=required("NOTES_TABLE"),
            machine=required("LAB_HOURS_MACHINE"),
            alarms_topic=required("ALARMS_TOPIC"),
        )


ENVIRONMENT = Environment.from_env()
SSM = boto3.client("ssm", config=AWS)
DYNAMODB = boto3.client("dynamodb", config=AWS)
CLUSTERS = SsmClusters(SSM)
EXECUTIONS = Executions(boto3.client("stepfunctions", config=AWS))
HOURS = LabHours(
    clusters=CLUSTERS,
    groups=AutoScalingGroups(boto3.client("autoscaling", config=AWS)),
    snapshots=DynamoSnapshots(DYNAMODB, ENVIRONMENT.snapshots_table),
    notebook=DynamoNotebook(DYNAMODB, ENVIRONMENT.notes_table),
    feeds=SsmAndWebFeeds(SSM, urllib3.PoolManager()),
    launches=DynamoLaunches(DYNAMODB, ENVIRONMENT.ledger_table),
    claims=DynamoLedger(DYNAMODB, ENVIRONMENT.ledger_table),
    breakers=DynamoBreakers(DYNAMODB, ENVIRONMENT.ledger_table),
    alarms=SnsAlarms(boto3.client("sns", config=AWS), ENVIRONMENT.alarms_topic),
    clock=WallClock(),
)
METRICS = Metrics(namespace="labswarm", service="lab-hours")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A scheduled event, or `SeatsShort` -> `{"decisions": {<cluster>: [<reason>, ...]}}`.

    What is wrong with one cluster stops no other. Raises Transient at the end when one was not
    decided about: the next minute's tries again, and the alarm is on invocations that fail. A
    malformed event is refused and not raised: there is nothing to try again.
    """
    try:
        names = _clusters(event)
    except BadInput as error:
        logger.error("refused a malformed event", extra={"field": error.field, "why": str(error)})
        return {"decisions": {}, "field": error.field}
    told: dict[str, list[str]] = {}
    undecided: list[str] = []
    problems = held = 0
    for name in names:
        try:
            decision, snapshot, wrong = HOURS.decision(name)
            begun = bool(
                decision.acts
                and snapshot
                and EXECUTIONS.start(
                    ENVIRONMENT.machine,
                    execution_name(decision, snapshot),
                    {"cluster": name, "actions": actions_of(decision)},
                )
            )
        except LabswarmError as error:
            logger.exception("not decided", extra={"cluster": name})
            undecided.append(f"{name}: {error}")
            continue
        logger.info("decided", extra={"decision": asdict(decision), "begun": begun})
        for problem in wrong:
            logger.warning("timetable", extra={"cluster": name, "problem": problem})
        told[name] = list(decision.reasons)
        if not decision.decided:
            undecided.append(f"{name}: {'; '.join(decision.reasons)}")
        held += decision.held
        problems += len(wrong)
    count(METRICS, {"TimetableProblems": problems, "LaunchesHeld": held})
    if undecided:
        raise Transient(f"not decided: {', '.join(undecided)}")
    return {"decisions": told}


def _clusters(event: dict[str, Any]) -> list[str]:
    if event.get("detail-type") != "SeatsShort":
        return CLUSTERS.names()
    detail = event.get("detail")
    name = detail.get("cluster") if isinstance(detail, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadInput("detail.cluster", f"is {name!r}; it has to be like {NAME.pattern}")
    return [name]
