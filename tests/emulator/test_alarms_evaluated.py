"""Metrics and metric alarms are the emulator's as they are AWS's.

Quoted reasons are from AWS's samples, or where it has none from observed messages of its alarms.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support import lambda_functions
from tests.support.running_emulator import RunningEmulator, eventually

from labswarm_emulator.cloudwatch.embedded import documents, extracted
from labswarm_emulator.cloudwatch.evaluation import Datapoint, Definition, Verdict, evaluate

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC).timestamp()


def judged(
    points: str | list[float | None],
    missing: str = "missing",
    *,
    m: int | None = None,
    n: int = 3,
    comparison: str = "GreaterThanThreshold",
    threshold: float = 0.5,
) -> Verdict | None:
    """The verdict about one datapoint a minute, newest last; in a text 0, X and - as AWS's."""
    values = {"0": 0.0, "X": 1.0, "-": None}
    listed = [values[point] for point in points.split()] if isinstance(points, str) else points
    recent = [
        None if value is None else Datapoint(EIGHT + 60 * minute, value, 1.0)
        for minute, value in enumerate(listed)
    ]
    return evaluate(Definition(comparison, threshold, n, m, missing), recent)


def state(*args: Any, **kwargs: Any) -> str:
    verdict = judged(*args, **kwargs)
    return verdict.state if verdict else "retained"


def reason(*args: Any, **kwargs: Any) -> str:
    verdict = judged(*args, **kwargs)
    assert verdict
    return verdict.reason


TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.aws(
    "CloudWatch",
    "alarm evaluation",
    "The four treatments of missing data end as in AWS's table of 3 out of 3 datapoints.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
)
@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0 - X - X", ["OK", "OK", "OK", "OK"]),
        ("0 - - - -", ["OK", "OK", "OK", "OK"]),
        ("- - - - -", ["INSUFFICIENT_DATA", "retained", "ALARM", "OK"]),
        ("0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("- - X - -", ["ALARM", "retained", "ALARM", "OK"]),
    ],
)
def test_three_out_of_three_as_in_aws_first_table(points: str, states: list[str]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"""
    assert [state(points, missing) for missing in TREATMENTS] == states


@pytest.mark.aws(
    "CloudWatch",
    "alarm evaluation",
    "They end as in AWS's table of 2 out of 3 datapoints.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
)
@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("0 - X - -", ["OK", "OK", "ALARM", "OK"]),
        ("- - - - 0", ["OK", "OK", "ALARM", "OK"]),
        ("- - - X -", ["ALARM", "retained", "ALARM", "OK"]),
    ],
)
def test_two_out_of_three_as_in_aws_second_table(points: str, states: list[str]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"""
    assert [state(points, missing, m=2) for missing in TREATMENTS] == states


@pytest.mark.aws(
    "CloudWatch",
    "alarm evaluation",
    "More datapoints are looked at than there are evaluation periods.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
)
def test_more_datapoints_are_looked_at_than_there_are_evaluation_periods() -> None:
    """AWS's examples look at 5 for 3; silence raises an alarm only once they are all missing.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert Definition("LessThanThreshold", 1, 3).range == 5
    assert [state(points, "breaching", n=1) for points in ("0 - -", "- - -")] == ["OK", "ALARM"]


@pytest.mark.aws(
    "CloudWatch",
    "alarm evaluation",
    "One new breaching datapoint among missing ones makes no premature alarm.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html#CloudWatch-alarms-avoiding-premature-transition",
)
@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_an_alarm_is_not_premature(points: str) -> None:
    """Of neither it goes "immediately into ALARM state".

    An earlier edition describes the rest for the first; the second is taken to be the same.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html#CloudWatch-alarms-avoiding-premature-transition
    https://github.com/awsdocs/amazon-cloudwatch-user-guide/blob/05fd32f6/doc_source/AlarmThatSendsEmail.md
    """
    expected = ["INSUFFICIENT_DATA", "retained", "ALARM", "OK"]
    assert [state(points, missing) for missing in TREATMENTS] == expected


@pytest.mark.aws(
    "CloudWatch",
    "PutMetricAlarm",
    "The statistic is the first operand of each comparison.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("GreaterThanThreshold", [False, False, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_the_statistic_is_the_first_operand(comparison: str, breaching: list[bool]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    found = [
        state([None, None, value], n=1, comparison=comparison, threshold=2.0) == "ALARM"
        for value in (1.0, 2.0, 3.0)
    ]
    assert found == breaching


@pytest.mark.aws(
    "CloudWatch",
    "StateReason",
    "It names the datapoints, and of an M out of N alarm what it takes.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html",
)
def test_a_reason_names_the_datapoints_and_m_out_of_n() -> None:
    """The form of AWS's sample events, https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    assert reason([0.0, 0.0, 99.5], m=1, n=1, threshold=50.0) == (
        "Threshold Crossed: 1 out of the last 1 datapoints [99.5 (23/11/26 08:02:00)] was greater"
        " than the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert reason([0.0, 0.0, 0.5], m=1, n=1, threshold=50.0) == (
        "Threshold Crossed: 1 out of the last 1 datapoints [0.5 (23/11/26 08:02:00)] was not"
        " greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )
    assert "(minimum 2 datapoints for ALARM -> OK transition)" in reason("0 0 0 X 0", m=2)
    assert "2 out of the last 3 datapoints" in reason("0 0 0 X 0", m=2)


@pytest.mark.differs(
    "CloudWatch",
    "StateReason",
    "The short form, of an alarm without DatapointsToAlarm, has the words that alarms"
    " were seen to say.",
    "AWS's documentation has no sample of it with missing data",
)
@pytest.mark.parametrize(
    ("points", "missing", "expected"),
    [
        (
            "0 0 X X X",
            "missing",
            "3 datapoints [1.0 (23/11/26 08:04:00), 1.0 (23/11/26 08:03:00),"
            " 1.0 (23/11/26 08:02:00)] were greater than the threshold (0.5).",
        ),
        (
            "- - - - -",
            "breaching",
            "no datapoints were received for 3 periods"
            " and 3 missing datapoints were treated as [Breaching].",
        ),
        (
            "- - - - 0",
            "breaching",
            "1 datapoint [0.0 (23/11/26 08:04:00)] was not greater than the threshold (0.5)"
            " and 2 missing datapoints were treated as [Breaching].",
        ),
        (
            "- - - - X",
            "notBreaching",
            "1 datapoint was received for 3 periods"
            " and 2 missing datapoints were treated as [NonBreaching].",
        ),
    ],
)
def test_a_reason_names_the_received_and_the_missing_data(
    points: str, missing: str, expected: str
) -> None:
    """The short form, without DatapointsToAlarm, as alarms of AWS were seen to say it:

    https://github.com/SSHcom/privx-on-aws/issues/13
    """
    assert reason(points, missing) == f"Threshold Crossed: {expected}"


@pytest.mark.aws(
    "CloudWatch",
    "StateReason",
    "It counts the datapoints that are unknown.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html",
)
def test_a_reason_counts_unknown_datapoints() -> None:
    """As in AWS's sample of an alarm that calls a function.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    assert reason("- - - - -") == "Insufficient Data: 3 datapoints were unknown."
    assert reason("- - -", n=1) == "Insufficient Data: 1 datapoint was unknown."


EMF: dict[str, Any] = {
    "_aws": {
        "Timestamp": 1574109732004,
        "CloudWatchMetrics": [
            {
                "Namespace": "lambda-function-metrics",
                "Dimensions": [["functionVersion"], []],
                "Metrics": [{"Name": "time", "Unit": "Milliseconds"}, {"Name": "tries"}],
            }
        ],
    },
    "functionVersion": "$LATEST",
    "time": 100,
    "tries": [1, 2],
    "requestId": "989ffbf8-9ace-4817-a57c-e4dd734019ee",
}


@pytest.mark.aws(
    "CloudWatch",
    "embedded metric format",
    "Each metric is made with each set of dimensions.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html",
)
def test_an_embedded_document_makes_each_metric_with_each_set_of_dimensions() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    ((namespace, metrics),) = extracted(EMF)
    version = [{"Name": "functionVersion", "Value": "$LATEST"}]

    assert namespace == "lambda-function-metrics"
    found = [(m["MetricName"], m["Dimensions"], m["Unit"], m["Values"]) for m in metrics]
    assert found == [
        ("time", version, "Milliseconds", [100]),
        ("time", [], "Milliseconds", [100]),
        ("tries", version, "None", [1, 2]),
        ("tries", [], "None", [1, 2]),
    ]
    assert metrics[0]["Timestamp"] == datetime(2019, 11, 18, 20, 42, 12, 4000)


@pytest.mark.aws(
    "CloudWatch",
    "embedded metric format",
    "A document that breaks the specification makes no metric.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html",
)
@pytest.mark.parametrize(
    "wrong",
    [
        {"functionVersion": 3},
        {"time": "100"},
        {"time": {"value": 100}},
        {"tries": [1] * 101},
        {"_aws": {**EMF["_aws"], "Timestamp": "2026-11-23"}},
        {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "n", "Metrics": []}]}},
    ],
)
def test_an_embedded_document_that_breaks_the_specification_makes_none(wrong: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    with pytest.raises(ValueError, match=r"."):
        list(extracted({**EMF, **wrong}))


@pytest.mark.aws(
    "CloudWatch",
    "embedded metric format",
    "A line that is no such document is a line of the log.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html",
)
@pytest.mark.parametrize("line", ["said _aws", '{"level": "INFO"}', '["_aws"]', '{"_aws": {}}'])
def test_a_line_without_metrics_is_none(line: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    assert [metric for document in documents(line) for metric in extracted(document)] == []


class Watched:
    """An alarm of a test's own on its own metric, whose changes are heard on two queues."""

    def __init__(self, emulator: RunningEmulator, name: str) -> None:
        self.emulator, self.name = emulator, name
        self.cloudwatch = emulator.client("cloudwatch")
        self._queues = {}
        sqs, sns, events = (emulator.client(service) for service in ("sqs", "sns", "events"))
        for kind in ("mail", "events"):
            self._queues[kind] = sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"]
        self.topic = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=ARN.format("sqs", f"{name}-mail")
        )
        pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        queue = {"Id": "queue", "Arn": ARN.format("sqs", f"{name}-events")}
        events.put_targets(Rule=name, Targets=[queue])

    def put(self, **properties: Any) -> None:
        self.cloudwatch.put_metric_alarm(
            **{
                "AlarmName": self.name,
                "AlarmDescription": "Too high",
                "Namespace": "contract",
                "MetricName": self.name,
                "Dimensions": [{"Name": "service", "Value": "test"}],
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 50,
                "ComparisonOperator": "GreaterThanThreshold",
                "AlarmActions": [self.topic],
                "OKActions": [self.topic],
                **properties,
            }
        )

    def measure(self, value: float, **properties: Any) -> None:
        dimensions = [{"Name": "service", "Value": "test"}]
        datum = {"MetricName": self.name, "Dimensions": dimensions, "Value": value, **properties}
        self.cloudwatch.put_metric_data(Namespace="contract", MetricData=[datum])

    def described(self) -> dict[str, Any]:
        (alarm,) = self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        found: dict[str, Any] = alarm
        return found

    def until(self, state: str, doing: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """The alarm once it is in this state; `doing` again and again until then."""

        def look() -> dict[str, Any] | None:
            doing()
            alarm = self.described()
            return alarm if alarm["StateValue"] == state else None

        return eventually(look, every_s=0.2)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """The messages in a queue so far; none is removed."""
        sqs = self.emulator.client("sqs")
        got = sqs.receive_message(
            QueueUrl=self._queues[kind], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]


@pytest.fixture
def alarm(emulator: RunningEmulator, name: str) -> Iterator[Watched]:
    """No alarm yet; the emulator's minute is three seconds."""
    watched = Watched(emulator, name)
    yield watched
    emulator.client("cloudwatch").delete_alarms(AlarmNames=[name])
    emulator.client("events").remove_targets(Rule=name, Ids=["queue"])
    emulator.client("events").delete_rule(Name=name)


@pytest.mark.aws(
    "CloudWatch",
    "PutMetricAlarm",
    "A new alarm is INSUFFICIENT_DATA until it is evaluated, and says so.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
@pytest.mark.emulator
def test_given_a_new_alarm_then_its_state_is_insufficient_data_until_it_is_evaluated(
    alarm: Watched,
) -> None:
    """The state is set "immediately", and the reason is that of AWS's sample events.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    alarm.put()
    made = alarm.described()
    assert made["StateValue"] == "INSUFFICIENT_DATA"
    assert made["StateReason"] == "Unchecked: Initial alarm creation"

    silent = alarm.until("OK", lambda: alarm.measure(1))
    assert silent["StateUpdatedTimestamp"] > made["StateUpdatedTimestamp"]
    assert silent["StateTransitionedTimestamp"] == silent["StateUpdatedTimestamp"]


@pytest.mark.aws(
    "CloudWatch",
    "alarm actions",
    "A change of state is one event and one message to the topic, with the fields of "
    "AWS's samples.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html",
)
@pytest.mark.emulator
def test_given_a_change_of_state_then_a_topic_hears_it_once_and_an_event_is_sent_once(
    alarm: Watched,
) -> None:
    """An alarm acts when its state changes, not while it is in one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
    https://github.com/aws/aws-lambda-go/blob/main/events/testdata/cloudwatch-alarm-sns-payload-single-metric.json
    """
    alarm.put(DatapointsToAlarm=1, TreatMissingData="notBreaching")
    alarm.until("OK")
    rung = alarm.until("ALARM", lambda: alarm.measure(99.5))
    again = 2 * 60 * alarm.emulator.settings.time_scale
    since = datetime.now(UTC)

    def measured_for_long() -> bool:
        alarm.measure(99.5)
        return datetime.now(UTC) - since > timedelta(seconds=again)

    eventually(measured_for_long)

    events = eventually(lambda: alarm.heard("events") if len(alarm.heard("events")) > 1 else None)
    assert [event["detail"]["state"]["value"] for event in events] == ["OK", "ALARM"]
    event, detail = events[1], events[1]["detail"]
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [rung["AlarmArn"]]
    assert set(detail) == {"alarmName", "configuration", "previousState", "state"}
    assert detail["configuration"]["description"] == "Too high"
    (metric,) = detail["configuration"]["metrics"]
    assert metric["returnData"] is True
    assert metric["metricStat"] == {
        "metric": {
            "dimensions": {"service": "test"},
            "name": alarm.name,
            "namespace": "contract",
        },
        "period": 60,
        "stat": "Maximum",
    }
    assert detail["previousState"]["value"] == "OK"
    assert detail["state"]["reason"] == rung["StateReason"]
    data = json.loads(detail["state"]["reasonData"])
    assert (
        data.items()
        >= {
            **{"version": "1.0", "statistic": "Maximum", "period": 60},
            **{"recentDatapoints": [99.5], "threshold": 50.0},
        }.items()
    )
    assert {"queryDate", "startDate"} <= set(data)

    mails = alarm.heard("mail")
    assert [mail["Subject"].partition(":")[0] for mail in mails] == ["OK", "ALARM"]
    message = json.loads(mails[1]["Message"])
    assert (
        message.items()
        >= {
            "AlarmName": alarm.name,
            "AlarmDescription": "Too high",
            "AWSAccountId": "123456789012",
            "NewStateValue": "ALARM",
            "NewStateReason": rung["StateReason"],
            "Region": "EU (Ireland)",
            "AlarmArn": rung["AlarmArn"],
            "OldStateValue": "OK",
        }.items()
    )
    assert message["Trigger"] == {
        "MetricName": alarm.name,
        "Namespace": "contract",
        "StatisticType": "Statistic",
        "Statistic": "MAXIMUM",
        "Unit": None,
        "Dimensions": [{"value": "test", "name": "service"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 50.0,
        "TreatMissingData": "notBreaching",
        "EvaluateLowSampleCountPercentile": "",
    }


@pytest.mark.aws(
    "CloudWatch",
    "DisableAlarmActions",
    "The state changes and the event is sent; the actions are not.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html",
)
@pytest.mark.emulator
def test_given_actions_disabled_then_the_state_changes_and_only_the_event_is_sent(
    alarm: Watched,
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html"""
    alarm.put(TreatMissingData="breaching", ActionsEnabled=False)
    alarm.until("ALARM")

    eventually(lambda: alarm.heard("events"))
    assert alarm.heard("mail") == []


@pytest.mark.aws(
    "CloudWatch",
    "alarm actions",
    "An action that cannot be done keeps no alarm from changing.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
)
@pytest.mark.emulator
def test_given_an_action_that_does_not_exist_then_the_state_changes_all_the_same(
    alarm: Watched,
) -> None:
    """CloudWatch neither tests actions nor detects their errors.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    alarm.put(TreatMissingData="breaching", AlarmActions=[ARN.format("sns", "none")])
    alarm.until("ALARM")
    eventually(
        lambda: alarm.emulator.recorded("cloudwatch", what="action failed", alarm=alarm.name)
    )
    alarm.until("OK", lambda: alarm.measure(1))


@pytest.mark.aws(
    "CloudWatch",
    "PutMetricData",
    "SampleCount, Sum, Average, Minimum and Maximum are of the metric with just these dimensions.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html",
)
@pytest.mark.emulator
@pytest.mark.parametrize(
    ("statistic", "value"),
    [("SampleCount", 3), ("Sum", 9), ("Average", 3), ("Minimum", 1), ("Maximum", 6)],
)
def test_given_values_of_one_minute_then_the_statistic_is_compared(
    alarm: Watched, statistic: str, value: float
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""
    alarm.put(
        Statistic=statistic, Threshold=value, ComparisonOperator="GreaterThanOrEqualToThreshold"
    )
    minute = 60 * alarm.emulator.settings.time_scale
    began = datetime.fromtimestamp(
        datetime.now(UTC).timestamp() // minute * minute + minute / 2, UTC
    )
    dimensions = [{"Name": "service", "Value": "test"}]
    alarm.cloudwatch.put_metric_data(
        Namespace="contract",
        MetricData=[
            {
                **{"MetricName": alarm.name, "Dimensions": dimensions, "Timestamp": began},
                **{"Values": [1, 2, 6]},
            },
            # A metric with other dimensions, or none, is another one.
            {"MetricName": alarm.name, "Timestamp": began, "Value": 1000},
        ],
    )
    rung = alarm.until("ALARM")
    assert json.loads(rung["StateReasonData"])["recentDatapoints"] == [value]


@pytest.mark.aws(
    "CloudWatch",
    "PutMetricAlarm",
    "An update of an alarm leaves its state as it is.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
@pytest.mark.emulator
def test_given_an_update_then_the_state_stays(alarm: Watched) -> None:
    """ "When you update an existing alarm, its state is left unchanged."

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm.put(TreatMissingData="breaching")
    before = alarm.until("ALARM")
    alarm.put(TreatMissingData="breaching", Threshold=60)
    after = alarm.described()
    assert after["Threshold"] == 60
    for what in ("StateValue", "StateReason", "StateUpdatedTimestamp"):
        assert after[what] == before[what]


@pytest.mark.aws(
    "CloudWatch",
    "SetAlarmState",
    "It acts, lasts until the next evaluation, and is in the history.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html",
)
@pytest.mark.emulator
def test_given_set_alarm_state_then_it_acts_lasts_until_evaluated_and_is_in_the_history(
    alarm: Watched,
) -> None:
    """The history's form is that of the AWS CLI's example of describe-alarm-history.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    https://docs.aws.amazon.com/cli/latest/reference/cloudwatch/describe-alarm-history.html
    """
    alarm.put(TreatMissingData="notBreaching")
    alarm.until("OK")
    alarm.cloudwatch.set_alarm_state(
        AlarmName=alarm.name, StateValue="ALARM", StateReason="testing purposes"
    )
    alarm.until("OK")

    items = alarm.cloudwatch.describe_alarm_history(
        AlarmName=alarm.name, HistoryItemType="StateUpdate"
    )["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ]
    assert json.loads(items[1]["HistoryData"])["newState"] == {
        "stateValue": "ALARM",
        "stateReason": "testing purposes",
    }
    said = [json.loads(mail["Message"])["NewStateReason"] for mail in alarm.heard("mail")]
    assert said[1] == "testing purposes"


@pytest.mark.aws(
    "CloudWatch",
    "PutMetricAlarm",
    "Periods, counts and treatments that CloudWatch does not have are ValidationError.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
@pytest.mark.absent(
    "CloudWatch",
    "PutMetricAlarm",
    "Anomaly detection, and actions other than a topic, are InvalidParameterValue.",
)
@pytest.mark.emulator
@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"Period": 90}, "ValidationError"),
        ({"DatapointsToAlarm": 2}, "ValidationError"),
        ({"TreatMissingData": "no"}, "ValidationError"),
        ({"Period": 3600, "EvaluationPeriods": 25}, "ValidationError"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "InvalidParameterValue"),
        ({"AlarmActions": [ARN.format("lambda", "function:f")]}, "InvalidParameterValue"),
    ],
)
def test_an_alarm_that_is_not_evaluated_is_refused(
    alarm: Watched, properties: dict[str, Any], code: str
) -> None:
    """Alarms that AWS refuses, and alarms that only this emulator lacks.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    with pytest.raises(ClientError) as refused:
        alarm.put(**properties)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.aws(
    "CloudWatch",
    "embedded metric format",
    "Lines that a function prints in it become metrics, also if the function fails later.",
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html",
)
@pytest.mark.emulator
def test_given_a_function_that_prints_metrics_then_they_raise_an_alarm(
    alarm: Watched,
) -> None:
    """ "On Lambda … writing JSON to standard out in the embedded metric format is sufficient."

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    source = f"""
import json, time

def handler(event, context):
    directive = {{"Namespace": "contract", "Dimensions": [["service"]],
                 "Metrics": [{{"Name": "{alarm.name}", "Unit": "Count"}}]}}
    metadata = {{"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
    print("text")
    print(json.dumps({{"_aws": metadata, "service": "test", "{alarm.name}": [70, 80]}}))
    if event.get("fail"):
        raise ValueError("after it")
"""
    function = lambda_functions.create(alarm.emulator, source)
    alarm.put(TreatMissingData="notBreaching")
    alarm.until("OK")
    assert lambda_functions.invoke(alarm.emulator, function, {"fail": True}).error

    (metric,) = alarm.cloudwatch.list_metrics(Namespace="contract", MetricName=alarm.name)[
        "Metrics"
    ]
    assert metric["Dimensions"] == [{"Name": "service", "Value": "test"}]
    rung = alarm.until("ALARM")
    assert json.loads(rung["StateReasonData"])["recentDatapoints"] == [80.0]
