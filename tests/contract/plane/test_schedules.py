"""Rules with a schedule fire on the plane as AWS's do."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from running_plane import RunningPlane, eventually

from labswarm_lab.plane.events.cron import cron
from labswarm_lab.plane.events.schedule import Timed, Timetable, rate_s


@pytest.fixture
def fired(plane: RunningPlane, name: str) -> Iterator[Any]:
    """What a rule with `rate(1 minute)` has sent; the plane's minute is three seconds."""
    events, sqs = plane.client("events"), plane.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])

    def bodies() -> list[dict[str, Any]]:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]

    yield bodies
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)


@pytest.mark.plane
def test_given_a_rate_then_the_rule_fires_again_and_again(
    plane: RunningPlane, fired: Any, name: str
) -> None:
    """The event of a schedule: its source is aws.events, and its resource the rule.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
    """
    seen = eventually(lambda: fired() if len(fired()) >= 2 else None)
    event = seen[0]
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["resources"] == [f"arn:aws:events:eu-west-1:123456789012:rule/{name}"]
    assert event["detail"] == {}


@pytest.mark.plane
def test_given_a_rule_that_is_disabled_then_it_does_not_fire(
    plane: RunningPlane, fired: Any, name: str
) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html"""
    plane.client("events").disable_rule(Name=name)
    other = f"{name}-other"
    events = plane.client("events")
    url = plane.client("sqs").create_queue(QueueName=other)["QueueUrl"]
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{other}"
    events.put_rule(Name=other, ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule=other, Targets=[{"Id": "queue", "Arn": arn}])
    sqs = plane.client("sqs")
    eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    events.remove_targets(Rule=other, Ids=["queue"])
    events.delete_rule(Name=other)

    assert fired() == []


def fires(expression: str, since: str, days: int) -> list[str]:
    found = cron(expression)
    assert found is not None
    minute = datetime.fromisoformat(since).replace(tzinfo=UTC)
    minutes = (minute + timedelta(minutes=n) for n in range(days * 1440))
    return [f"{at:%m-%d %H:%M}" for at in minutes if found.fires_in(at)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 10 * * ? *)", ["11-23 10:00", "11-24 10:00"]),
        ("cron(15 12 ? * TUE *)", ["11-24 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["11-23 18:00", "11-24 18:00"]),
        ("cron(0/30 8 23 11 ? 2026)", ["11-23 08:00", "11-23 08:30"]),
        ("cron(0 8,20 24 NOV ? *)", ["11-24 08:00", "11-24 20:00"]),
        ("cron(0 8 ? * 2 *)", ["11-23 08:00"]),
        ("cron(0 8 1 1 ? *)", []),
    ],
)
def test_a_cron_expression_is_in_utc_and_counts_weekdays_from_sunday(
    expression: str, expected: list[str]
) -> None:
    """2026-11-23 is a Monday, day 2 of the week.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    assert fires(expression, "2026-11-23", 2) == expected


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(2 hours)", 7200),
        ("rate(1 day)", 86400),
        ("cron(0 8 * * ? *)", None),
    ],
)
def test_a_rate_is_read(expression: str, seconds: int | None) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html"""
    assert rate_s(expression) == seconds


def test_a_rate_counts_from_its_rules_beginning_and_does_not_drift() -> None:
    """A rate starts when its rule is created; .../userguide/eb-scheduled-rule-pattern.html"""
    timetable, rules = Timetable(lambda s: s), [Timed("rule", "rate(1 minute)")]
    seen = [at for at in range(1000, 1200) if timetable.due(rules, at + 0.5)]

    assert seen == [1060, 1120, 1180]


def test_a_cron_expression_fires_once_in_its_minute() -> None:
    """The lowest precision is one minute; .../userguide/eb-create-rule-schedule.html"""
    timetable, rules = Timetable(lambda s: s), [Timed("rule", "cron(0/2 * * * ? *)")]
    seen = [at for at in range(30, 330) if timetable.due(rules, float(at))]

    assert seen == [120, 240]
