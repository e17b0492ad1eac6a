"""Rules with a schedule fire on the emulator as AWS's do."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator, eventually

from labswarm_emulator.events.cron import cron
from labswarm_emulator.events.schedule import Timed, Timetable, rate_s, valid


@pytest.fixture
def fired(emulator: RunningEmulator, name: str) -> Iterator[Any]:
    """The messages of a rule with `rate(1 minute)`; the emulator's minute is three seconds."""
    events, sqs = emulator.client("events"), emulator.client("sqs")
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


@pytest.mark.aws(
    "EventBridge",
    "PutRule",
    "A rule with a rate fires again and again, with a Scheduled Event of source aws.events.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html",
)
@pytest.mark.emulator
def test_given_a_rate_then_the_rule_fires_again_and_again(
    emulator: RunningEmulator, fired: Any, name: str
) -> None:
    """The event of a schedule: its source is aws.events, and its resource the rule.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
    """
    seen: Any = eventually(lambda: fired() if len(fired()) >= 2 else None)
    event = seen[0]
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["resources"] == [f"arn:aws:events:eu-west-1:123456789012:rule/{name}"]
    assert event["detail"] == {}


@pytest.mark.aws(
    "EventBridge",
    "DisableRule",
    "A disabled rule with a schedule does not fire.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html",
)
@pytest.mark.emulator
def test_given_a_rule_that_is_disabled_then_it_does_not_fire(
    emulator: RunningEmulator, fired: Any, name: str
) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html"""
    emulator.client("events").disable_rule(Name=name)
    other = f"{name}-other"
    events = emulator.client("events")
    url = emulator.client("sqs").create_queue(QueueName=other)["QueueUrl"]
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{other}"
    events.put_rule(Name=other, ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule=other, Targets=[{"Id": "queue", "Arn": arn}])
    sqs = emulator.client("sqs")
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


@pytest.mark.aws(
    "EventBridge",
    "cron",
    "A rule's cron expression is in UTC and counts the days of the week from Sunday, 1.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
)
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


@pytest.mark.aws(
    "EventBridge",
    "rate",
    "A rate counts from when its rule was made.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
)
def test_a_rate_counts_from_its_rules_beginning_and_does_not_drift() -> None:
    """A rate starts when its rule is created; .../userguide/eb-scheduled-rule-pattern.html"""
    timetable, rules = Timetable(lambda s: s), [Timed("rule", "rate(1 minute)")]
    seen = [at for at in range(1000, 1200) if timetable.due(rules, at + 0.5)]

    assert seen == [1060, 1120, 1180]


@pytest.mark.aws(
    "EventBridge",
    "cron",
    "A cron expression fires once in a minute that it names.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html",
)
def test_a_cron_expression_fires_once_in_its_minute() -> None:
    """The lowest precision is one minute; .../userguide/eb-create-rule-schedule.html"""
    timetable, rules = Timetable(lambda s: s), [Timed("rule", "cron(0/2 * * * ? *)")]
    seen = [at for at in range(30, 330) if timetable.due(rules, float(at))]

    assert seen == [120, 240]


@pytest.mark.aws(
    "EventBridge",
    "cron",
    "L is the last day of the month or week, W the nearest weekday, # the week of the month.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 0 L * ? *)", ["10-31 00:00", "11-30 00:00", "12-31 00:00"]),
        ("cron(0 0 15W * ? *)", ["10-15 00:00", "11-16 00:00", "12-15 00:00"]),
        ("cron(0 0 1W * ? *)", ["10-01 00:00", "11-02 00:00", "12-01 00:00"]),
        ("cron(0 0 31W * ? *)", ["10-30 00:00", "12-31 00:00"]),
        ("cron(0 0 LW * ? *)", ["10-30 00:00", "11-30 00:00", "12-31 00:00"]),
        ("cron(0 0 ? 11 3#2 *)", ["11-10 00:00"]),
        ("cron(0 0 ? 11 5L *)", ["11-26 00:00"]),
        ("cron(0 0 ? 12 L *)", ["12-05 00:00", "12-12 00:00", "12-19 00:00", "12-26 00:00"]),
    ],
)
def test_the_days_that_have_no_number(expression: str, expected: list[str]) -> None:
    """October 2026 begins on a Thursday, November on a Sunday, December on a Tuesday."""
    assert fires(expression, "2026-10-01", 92) == expected


@pytest.mark.aws(
    "EventBridge",
    "PutRule",
    "A schedule that is none is refused: ValidationException.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
)
@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(5 seconds)",
        "cron(0 8 * * * *)",
        "cron(0 8 1 * MON *)",
        "cron(0 8 ? * ? *)",
        "cron(0 24 * * ? *)",
        "cron(60 8 * * ? *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 ? * 8 *)",
        "cron(0 8 ? * MON#6 *)",
        "cron(0 8 * * ?)",
        "at(2026-11-24T08:00:00)",
        "every minute",
    ],
)
def test_a_schedule_that_is_none_is_refused(expression: str) -> None:
    assert not valid(expression)


@pytest.mark.emulator
@pytest.mark.aws(
    "EventBridge",
    "PutRule",
    "A rule with a schedule that is none is not made.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
)
def test_a_rule_with_no_schedule_to_fire_by_is_not_made(
    emulator: RunningEmulator, name: str
) -> None:
    events = emulator.client("events")
    with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid"):
        events.put_rule(Name=name, ScheduleExpression="rate(1 minutes)")
    assert events.list_rules(NamePrefix=name)["Rules"] == []


def test_a_schedule_fires_between_its_beginning_and_its_end() -> None:
    timed = Timed("s", "rate(1 minute)", begins=1100.0, ends=1250.0, at_once=True)
    timetable = Timetable(lambda s: s)
    assert [at for at in range(1000, 1400) if timetable.due([timed], at)] == [1100, 1160, 1220]


def test_a_time_that_is_over_when_its_schedule_is_made_never_comes() -> None:
    timetable = Timetable(lambda s: s)
    over = Timed("over", "at(2026-11-24T08:00:00)", zone="Europe/Berlin")
    coming = Timed("coming", "at(2026-11-24T08:00:30)", zone="Europe/Berlin")
    begun = datetime(2026, 11, 24, 7, 0, 10, tzinfo=UTC).timestamp()
    fired = [(n, timetable.due([over, coming], begun + n)) for n in range(60)]
    assert [(n, names) for n, names in fired if names] == [(20, ["coming"])]
