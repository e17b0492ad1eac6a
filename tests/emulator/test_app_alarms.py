"""Every alarm of the app goes into ALARM and back by its definition, on a fast emulator."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse
from tests.simulation.template import with_names
from tests.support import lambda_functions
from tests.support.running_emulator import RunningEmulator, eventually, running

from labswarm.names import DEFAULT
from labswarm_emulator.emulator import Settings

pytestmark = pytest.mark.emulator

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = yaml_parse(with_names((REPOSITORY / "template.yaml").read_text(encoding="utf-8")))[
    "Resources"
]
ALARMS = {
    name: resource["Properties"]
    for name, resource in TEMPLATE.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
STACK = "app-alarms"
MINUTE_S = 0.5
"""Of the emulator: a half hour takes 15 s."""
WITHIN_S = 300.0

BAD = {
    "LastResorts": 1,
    "LaunchesHeld": 1,
    "StudentsWait": 12,
    "TimetableProblems": 2,
    "DocumentsRefused": 1,
    "ReconcileOverCap": 3,
    "ReconcileNamed": 1,
    "ReconcileOrphansStay": 1,
}
"""The values of each of our metrics when something is wrong; when all is well, none is sent."""
SCHEDULED = {"MissedHeartbeats", "LabHoursUndecided", "ReconcileUndecided"}
"""The alarms on Lambda's metrics of a scheduled function."""
OF_AWS = {
    "UndeliveredEvents": ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    "Throttles": ("AWS/Lambda", "Throttles"),
}
"""The alarms on a metric that AWS publishes and the emulator does not."""

WRITES_METRICS = """
from aws_lambda_powertools import Metrics

def handler(events, context):
    for event in events:
        metrics = Metrics(namespace=event["namespace"], service=event["service"])
        metrics.add_metric(event["name"], "Count", event["value"])
        metrics.flush_metrics()
"""
"""Writes metrics as the app's functions do."""
FAILS = """
def handler(event, context):
    assert event["well"]
"""
"""Stands for a function that has a schedule."""


def function_of(alarm: str) -> str:
    """The name of the function that an alarm is on."""
    (dimension,) = ALARMS[alarm]["Dimensions"]
    assert dimension["Name"] == "FunctionName"
    return str(TEMPLATE[dimension["Value"]["Ref"]]["Properties"]["FunctionName"])


def test_every_alarm_of_the_template_is_driven_here() -> None:
    assert {*BAD, *SCHEDULED, *OF_AWS} == set(ALARMS)


def test_the_other_alarms_are_on_metrics_of_aws() -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    published = {n: (a["Namespace"], a["MetricName"]) for n, a in ALARMS.items() if n not in BAD}
    assert published == {
        **OF_AWS,
        **dict.fromkeys(SCHEDULED, ("AWS/Lambda", "Errors")),
    }


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_function_writes_the_metric_of_an_alarm(name: str) -> None:
    alarm = ALARMS[name]
    (service,) = alarm["Dimensions"]
    metrics = f'Metrics(namespace=prefix(), service="{service["Value"]}")'
    functions = [path.read_text() for path in (REPOSITORY / "functions").glob("*/app.py")]

    assert (service["Name"], alarm["Namespace"]) == ("service", DEFAULT)
    assert any(metrics in f and f'"{alarm["MetricName"]}"' in f for f in functions)


@dataclass
class App:
    """The app's alarms and their topic, functions that make their metrics, and who listens."""

    emulator: RunningEmulator
    function: str
    queue: str
    names: dict[str, str]
    heard: list[dict[str, Any]] = field(default_factory=list)

    def written(self, *, well: bool) -> None:
        """The data of each alarm's metric when all is well, or when nothing is."""
        for name in SCHEDULED:
            ended = lambda_functions.invoke(self.emulator, function_of(name), {"well": well})
            assert (ended.error is None) == well
        for name, (namespace, metric) in OF_AWS.items():
            of_queue = [{"Name": "QueueName", "Value": "labswarm-undelivered"}]
            dimensions = of_queue if "Dimensions" in ALARMS[name] else []
            self.emulator.client("cloudwatch").put_metric_data(
                Namespace=namespace,
                MetricData=[
                    {"MetricName": metric, "Dimensions": dimensions, "Value": 0 if well else 1}
                ],
            )
        if well:
            return
        events = [
            {
                "namespace": ALARMS[name]["Namespace"],
                "service": ALARMS[name]["Dimensions"][0]["Value"],
                "name": ALARMS[name]["MetricName"],
                "value": value,
            }
            for name, value in BAD.items()
        ]
        assert lambda_functions.invoke(self.emulator, self.function, events).error is None

    def states(self) -> dict[str, str]:
        found = self.emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}

    def drive(self, state: str) -> None:
        """Write what there is, again and again, until every alarm has been in this state.

        Not all at once: on a machine with much to do, one that looks back a minute leaves it again
        before the next metric is written.
        """
        reached: set[str] = set()

        def over() -> bool:
            self.written(well=state == "OK")
            reached.update(name for name, now in self.states().items() if now == state)
            changes = self.listen()
            reached.update(m["AlarmName"] for m in changes if m["NewStateValue"] == state)
            return reached == {*self.names.values()}

        eventually(over, within_s=WITHIN_S)
        self.listen()

    def listen(self) -> list[dict[str, Any]]:
        """The topic's new messages."""
        new = []
        sqs = self.emulator.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                body = json.loads(message["Body"])
                new.append({**json.loads(body["Message"]), "Subject": body["Subject"]})
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        self.heard.extend(new)
        self.heard.sort(key=lambda message: str(message["StateChangeTime"]))
        return new


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """All is well, then nothing is, then all is well again."""
    state_dir = tmp_path_factory.mktemp("emulator")
    settings = Settings("127.0.0.1", 0, state_dir, time_scale=MINUTE_S / 60)
    with running(settings) as emulator:
        function = lambda_functions.create(emulator, WRITES_METRICS, Timeout=900)
        for name in SCHEDULED:
            lambda_functions.create(emulator, FAILS, Timeout=900, FunctionName=function_of(name))
        wanted = (*ALARMS, "Alarms", "Undelivered")
        alarms = {name: TEMPLATE[name] for name in wanted}
        functions = {
            ALARMS[name]["Dimensions"][0]["Value"]["Ref"]: {
                "Type": "String",
                "Default": function_of(name),
            }
            for name in SCHEDULED
        }
        emulator.client("cloudformation").create_stack(
            StackName=STACK,
            TemplateBody=json.dumps({"Parameters": functions, "Resources": alarms}),
        )
        described = emulator.client("cloudformation").describe_stack_resources(StackName=STACK)
        names = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in described["StackResources"]
        }
        sqs = emulator.client("sqs")
        queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
        emulator.client("sns").subscribe(
            TopicArn=names["Alarms"],
            Protocol="sqs",
            Endpoint="arn:aws:sqs:eu-west-1:123456789012:heard",
        )
        app = App(emulator, function, queue, {name: names[name] for name in ALARMS})
        for state in ("OK", "ALARM", "OK"):
            app.drive(state)
        yield app


@pytest.mark.aws(
    "CloudWatch",
    "AWS::CloudWatch::Alarm",
    "Every alarm of the app's template goes into ALARM over its threshold, and back, "
    "and its topic hears both.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html",
)
@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_of_the_app_goes_into_alarm_and_back(app: App, name: str) -> None:
    heard = [message for message in app.heard if message["AlarmName"] == app.names[name]]
    changes = [(message["OldStateValue"], message["NewStateValue"]) for message in heard]
    # The last time; it may have been raised again since, for data that was not written soon enough.
    last = len(changes) - 1 - changes[::-1].index(("ALARM", "OK"))
    rung = heard[last - 1]

    assert changes[last - 1] == ("OK", "ALARM")
    assert rung["Subject"] == f'ALARM: "{app.names[name]}" in EU (Ireland)'
    assert rung["AlarmDescription"] == ALARMS[name]["AlarmDescription"]
    assert rung["NewStateReason"].startswith("Threshold Crossed: ")
    assert rung["Trigger"]["MetricName"] == ALARMS[name]["MetricName"]
    assert all(arn.endswith(":labswarm-alarms") for arn in rung["AlarmActions"])


@pytest.mark.aws(
    "CloudWatch",
    "AWS::CloudWatch::Alarm",
    "An alarm that treats missing data as breaching is in ALARM without data.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
)
def test_an_alarm_that_wants_metrics_is_raised_when_there_are_none(app: App) -> None:
    """The alarm on missing decisions is raised even when nothing runs; the others stay as they are.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    silent = {name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "breaching"}
    assert silent == SCHEDULED

    def ringing() -> set[str]:
        states = app.states()
        return {name for name, alarm in app.names.items() if states[alarm] == "ALARM"}

    eventually(lambda: ringing() == silent, within_s=WITHIN_S)
